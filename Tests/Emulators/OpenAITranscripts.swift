// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Transcripts of what ``OpenAIMedia`` spoke.
enum OpenAITranscripts {
    static func answer(_ request: EmulatorRequest, models: Set<String>) throws -> EmulatorAnswer {
        guard let type = request.field("content-type"), let form = MultipartFields(request.body, contentType: type)
        else {
            throw OpenAIRefusal(400, "Could not parse multipart form")
        }
        let isTranslated = request.path.hasSuffix("translations")
        var known: Set = ["model", "response_format", "prompt", "temperature"]
        if !isTranslated { known.insert("language") }
        for name in form.fields.keys.sorted() where !known.contains(name) {
            throw OpenAIRefusal(400, "Unrecognized request argument supplied: \(name)", param: name)
        }
        guard let file = form.file, file.type.hasPrefix("audio/"), file.name.contains(".") else {
            throw OpenAIRefusal(400, "Missing required parameter: 'file'.", param: "file")
        }
        let model = form.fields["model"] ?? ""
        guard models.contains(model) else {
            throw OpenAIRefusal(404, "The model `\(model)` does not exist.", code: "model_not_found")
        }
        let language = form.fields["language"]
        guard language?.wholeMatch(of: #/[a-z]{2,3}/#) != nil || language == nil else {
            throw OpenAIRefusal(400, "Invalid language '\(language ?? "")'.", param: "language")
        }
        guard let words = OpenAIMedia.words(of: file.data) else {
            throw OpenAIRefusal(
                400, "Audio file might be corrupted or unsupported", param: "file", code: "invalid_value")
        }
        let text = isTranslated ? words.uppercased() : words
        let duration = Double(file.data.count - 44) / 16_000
        switch form.fields["response_format"] ?? "json" {
        case "json":
            return try EmulatorAnswer.json(
                200, ["text": text, "usage": ["type": "duration", "seconds": duration] as [String: Any]])
        case "verbose_json":
            let half = text.index(text.startIndex, offsetBy: text.count / 2)
            let segments = [(text[..<half], 0.0, duration / 2), (text[half...], duration / 2, duration)]
            return try EmulatorAnswer.json(
                200,
                [
                    "task": isTranslated ? "translate" : "transcribe", "language": "chinese", "duration": duration,
                    "text": text,
                    "segments": segments.enumerated().filter { !$0.element.0.isEmpty }.map {
                        ["id": $0.offset, "start": $0.element.1, "end": $0.element.2, "text": String($0.element.0)]
                            as [String: Any]
                    },
                ])
        default: throw OpenAIRefusal(400, "Invalid 'response_format'.", param: "response_format")
        }
    }
}

/// A body of `multipart/form-data`, read strictly by RFC 7578.
struct MultipartFields {
    private(set) var fields: [String: String] = [:]
    private(set) var file: (name: String, type: String, data: [UInt8])?

    /// Nil for what is no such form, or names a field twice.
    init?(_ body: [UInt8], contentType: String) {
        guard
            let match = contentType.wholeMatch(of: #/multipart\/form-data; boundary=([A-Za-z0-9'()+_,.\/:=?-]{1,70})/#)
        else { return nil }
        let mark = Data("--\(match.1)".utf8)
        var rest = Data(body)
        guard rest.starts(with: mark) else { return nil }
        rest = rest.dropFirst(mark.count)
        while !rest.starts(with: Data("--\r\n".utf8)) {
            guard rest.starts(with: Data("\r\n".utf8)), let end = rest.range(of: Data("\r\n".utf8) + mark),
                read(rest[(rest.startIndex + 2)..<end.lowerBound])
            else { return nil }
            rest = rest[end.upperBound...]
        }
        guard rest.count == 4 else { return nil }
    }

    private mutating func read(_ part: Data) -> Bool {
        guard let end = part.range(of: Data("\r\n\r\n".utf8)) else { return false }
        let head = String(decoding: part[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let value = Array(part[end.upperBound...])
        let lines = Dictionary(
            head.map { line in
                let pair = line.split(separator: ":", maxSplits: 1)
                return (pair[0].lowercased(), pair.count > 1 ? pair[1].trimmingCharacters(in: .whitespaces) : "")
            }
        ) { first, _ in first }
        guard
            let said = lines["content-disposition"]?.wholeMatch(
                of: #/form-data; name="([^"]+)"(?:; filename="([^"]+)")?/#)
        else { return false }
        let name = String(said.1)
        if let filename = said.2 {
            guard name == "file", file == nil else { return false }
            file = (String(filename), lines["content-type"] ?? "", value)
            return true
        }
        guard fields[name] == nil, let text = String(validating: value, as: UTF8.self) else { return false }
        fields[name] = text
        return true
    }
}
