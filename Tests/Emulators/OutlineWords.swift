// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the emulated models write.
enum OutlineWords {
    /// A Han character, or a word with what follows it.
    static func words(_ text: String) -> [String] {
        var words: [String] = []
        for character in text {
            let isWide = (character.unicodeScalars.first?.value ?? 0) >= 0x2E80
            if isWide || words.isEmpty || words.last?.last == " " { words.append("") }
            words[words.count - 1].append(character)
            if isWide { words.append("") }
        }
        return words.filter { !$0.isEmpty }
    }

    /// Each line of a chapter is a beat.
    static func outline(_ chapter: String) throws -> String {
        let lines = chapter.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.isEmpty }
        let beats = lines.prefix(14).enumerated().map { index, line in
            [
                "number": index + 1, "title": String(line.prefix(8)), "summary": line, "quote": String(line.prefix(20)),
                "characters": [String](), "place": "",
            ] as [String: Any]
        }
        let outline: [String: Any] = [
            "title": lines.first ?? "", "summary": lines.joined(separator: " "), "beats": beats,
            "characters": [["name": String((lines.first ?? "x").prefix(2))]], "places": [[String: Any]](),
            "keywords": [String](),
        ]
        return String(
            decoding: try JSONSerialization.data(withJSONObject: outline, options: [.sortedKeys]), as: UTF8.self)
    }
}
