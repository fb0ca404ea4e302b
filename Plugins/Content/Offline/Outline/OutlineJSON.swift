// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Writes an outline as JSON with the field names of `theatre.content.v1.Outline`, always the same bytes.
struct OutlineJSON {
    private var text = ""

    /// The JSON of an outline.
    static func write(_ outline: ChapterOutline) -> String {
        var json = OutlineJSON()
        json.write(outline)
        return json.text
    }

    private mutating func write(_ outline: ChapterOutline) {
        text += "{\"title\":"
        string(outline.title)
        text += ",\"summary\":"
        string(outline.summary)
        text += ",\"beats\":"
        list(outline.beats) { $0.beat($1) }
        text += ",\"characters\":"
        list(outline.characters) { $0.named($1) }
        text += ",\"places\":"
        list(outline.places) { $0.named($1) }
        text += ",\"keywords\":"
        list(outline.keywords) { $0.string($1) }
        text += "}"
    }

    private mutating func beat(_ beat: ChapterBeat) {
        text += "{\"number\":\(beat.number),\"title\":"
        string(beat.title)
        text += ",\"summary\":"
        string(beat.summary)
        text += ",\"quote\":"
        string(beat.quote)
        text += ",\"characters\":"
        list(beat.characters) { $0.string($1) }
        text += ",\"place\":"
        string(beat.place)
        text += ",\"start\":\(beat.range.lowerBound),\"end\":\(beat.range.upperBound)}"
    }

    private mutating func named(_ name: CountedName) {
        text += "{\"name\":"
        string(name.name)
        text += ",\"count\":\(name.count)}"
    }

    private mutating func list<Element>(_ elements: [Element], _ write: (inout OutlineJSON, Element) -> Void) {
        text += "["
        for (index, element) in elements.enumerated() {
            if index > 0 { text += "," }
            write(&self, element)
        }
        text += "]"
    }

    private mutating func string(_ value: String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
