// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
public import TheatreManifest

/// The task `outline`: what the model is told, and what is added to its answer.
public enum OutlineTask {
    /// Said before the conversation.
    public static let instruction = """
        You outline a chapter of a novel for the stage. The last message of the user is the chapter. Answer with one JSON \
        object and nothing else, in the chapter's language: title (of the chapter, empty if it has none), summary (one \
        paragraph), beats (5 to 14 units of action in order; each with number from 1, title of a few words, summary of \
        what happens, quote of up to 40 characters copied exactly from where the beat begins, characters who are there, \
        and place or an empty string), characters (people by first appearance, each with name as written), places (by \
        first appearance, each with name as written), keywords (most telling first, at most 12). Invent nothing.
        """

    /// In the subset of JSON Schema that servers hold answers to: everything required, nothing else allowed.
    public static let schema: JSONValue = {
        let text = JSONValue.object(["type": .string("string")])
        let named = list(object(["name": text]))
        let beat = object([
            "number": .object(["type": .string("integer")]), "title": text, "summary": text, "quote": text,
            "characters": list(text), "place": text,
        ])
        return object([
            "title": text, "summary": text, "beats": list(beat), "characters": named, "places": named,
            "keywords": list(text),
        ])
    }()

    private static func list(_ items: JSONValue) -> JSONValue {
        .object(["type": .string("array"), "items": items])
    }

    private static func object(_ properties: [String: JSONValue]) -> JSONValue {
        .object([
            "type": .string("object"), "properties": .object(properties), "additionalProperties": .bool(false),
            "required": .array(properties.keys.sorted().map { .string($0) }),
        ])
    }

    /// The model's answer as `theatre.content.v1.Outline`, with what a model cannot count: places in the chapter and how
    /// often names stand in it. Nil where the answer is no outline.
    public static func completed(_ answer: String, chapter: String) -> String? {
        guard var outline = JSONText.object(answer), let beats = outline["beats"]?.array, !beats.isEmpty,
            beats.allSatisfy({ $0["title"]?.string != nil && $0["summary"]?.string != nil })
        else { return nil }
        let scalars = Array(chapter.unicodeScalars)
        let starts = starts(of: beats.map { $0["quote"]?.string ?? "" }, in: scalars)
        outline["beats"] = .array(
            beats.indices.map { index in
                var beat = beats[index].object ?? [:]
                beat["number"] = .integer(Int64(index + 1))
                beat["start"] = .integer(Int64(starts[index]))
                beat["end"] = .integer(Int64(index + 1 < beats.count ? starts[index + 1] : scalars.count))
                return .object(beat)
            })
        for key in ["characters", "places"] {
            outline[key] = .array((outline[key]?.array ?? []).compactMap { counted($0, in: chapter) })
        }
        do { return String(decoding: try JSONValue.object(outline).json(), as: UTF8.self) } catch { return nil }
    }

    private static func counted(_ value: JSONValue, in chapter: String) -> JSONValue? {
        guard let name = value["name"]?.string ?? value.string, !name.isEmpty else { return nil }
        let count = chapter.split(separator: name, omittingEmptySubsequences: false).count - 1
        return .object(["name": .string(name), "count": .integer(Int64(max(count, 1)))])
    }

    /// Where each quote stands, in order; one that is not found is put between its neighbours.
    private static func starts(of quotes: [String], in chapter: [Unicode.Scalar]) -> [Int] {
        var found: [Int?] = []
        var from = 0
        for quote in quotes {
            let place = place(of: Array(quote.unicodeScalars), in: chapter, from: from)
            found.append(place)
            if let place { from = place }
        }
        if !found.isEmpty, found[0] == nil { found[0] = 0 }
        var starts: [Int] = []
        for (index, place) in found.enumerated() {
            guard place == nil else {
                starts.append(place ?? 0)
                continue
            }
            let next = found[index...].firstIndex { $0 != nil } ?? found.count
            let end = next < found.count ? found[next] ?? chapter.count : chapter.count
            let last = starts.last ?? 0
            starts.append(last + (end - last) / (next - index + 1))
        }
        return starts
    }

    private static func place(of quote: [Unicode.Scalar], in chapter: [Unicode.Scalar], from: Int) -> Int? {
        guard let first = quote.first, chapter.count - from >= quote.count else { return nil }
        return (from...(chapter.count - quote.count)).first { start in
            chapter[start] == first && chapter[start..<(start + quote.count)].elementsEqual(quote)
        }
    }
}
