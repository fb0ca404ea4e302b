// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import TheatreManifest

/// `{{word}}` in a template.
enum Placeholders {
    /// The text with every placeholder replaced. What is no text stays as it is.
    ///
    /// - Throws: `ScaffoldError` for one that has no value.
    static func fill(_ data: Data, _ values: [String: String], of path: String) throws -> Data {
        guard let text = String(validating: data, as: UTF8.self) else { return data }
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "{{"), let end = rest[start.upperBound...].firstRange(of: "}}") {
            let word = String(rest[start.upperBound..<end.lowerBound])
            result += rest[..<start.lowerBound]
            if word.wholeMatch(of: #/[a-z_]+/#) == nil {
                // Braces of the language's own.
                result += "{{"
                rest = rest[start.upperBound...]
                continue
            }
            guard let value = values[word] else {
                let near = nearestMatch(to: word, among: values.keys).map { "; did you mean {{\($0)}}?" } ?? ""
                throw ScaffoldError("The template's \(path) asks for {{\(word)}}, which has no value\(near)")
            }
            result += value
            rest = rest[end.upperBound...]
        }
        return Data((result + rest).utf8)
    }
}
