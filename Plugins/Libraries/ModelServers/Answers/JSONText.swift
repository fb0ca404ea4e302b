// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
public import TheatreManifest

/// JSON that a model wrote, perhaps between the marks of a code block.
public enum JSONText {
    /// The document without the marks; nil where it is no JSON.
    public static func value(_ text: String) -> JSONValue? {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        while let first = lines.first, first.allSatisfy(\.isWhitespace) { lines.removeFirst() }
        while let last = lines.last, last.allSatisfy(\.isWhitespace) { lines.removeLast() }
        if lines.count > 2, lines[0].hasPrefix("```"), lines[lines.count - 1].hasPrefix("```") {
            lines = Array(lines.dropFirst().dropLast())
        }
        do { return try JSONValue(json: Data(lines.joined(separator: "\n").utf8)) } catch { return nil }
    }

    /// The members, if it is an object.
    public static func object(_ text: String) -> [String: JSONValue]? { value(text)?.object }
}
