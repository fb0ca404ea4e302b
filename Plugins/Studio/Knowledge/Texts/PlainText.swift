// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Plain text: as it is. A line of its own that counts a chapter, as Chinese novels have them, is a heading.
enum PlainText {
    static func extract(_ source: String) -> ExtractedText {
        var document = ExtractedText(text: source)
        for line in TextLines(text: source) {
            guard let level = level(of: line.text) else { continue }
            document.headings.append(.init(level: level, title: String(Substring(line.text)), start: line.start))
        }
        return document
    }

    private static let numerals = Set("〇零一二三四五六七八九十百千兩两廿卅0123456789".unicodeScalars)

    /// `第一百二十三回 …`: a volume is above a chapter, a chapter above a section.
    private static func level(of line: Substring.UnicodeScalarView) -> Int? {
        let words = line.drop { $0.properties.isWhitespace }
        guard words.count <= 60, words.first == "第" else { return nil }
        let number = words.dropFirst().prefix { numerals.contains($0) }
        guard (1...8).contains(number.count), let unit = words.dropFirst(1 + number.count).first else { return nil }
        // `第一回来了一个人。` tells something: a title does not end a sentence.
        guard !words.contains(where: { "。！？，；".unicodeScalars.contains($0) }) else { return nil }
        switch unit {
        case "卷", "部", "册", "冊": return 1
        case "回", "章", "折", "出": return 2
        case "节", "節": return 3
        default: return nil
        }
    }
}
