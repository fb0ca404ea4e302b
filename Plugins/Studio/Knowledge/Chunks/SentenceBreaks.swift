// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Where sentences end, by the marks of Chinese and of English; white space belongs to the sentence before it.
enum SentenceBreaks {
    /// The sentences of a part of a text: they follow each other without a gap and cover it.
    static func sentences(_ text: [Unicode.Scalar], _ part: Range<Int>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var start = part.lowerBound
        var place = start
        while place < part.upperBound {
            guard let end = end(text, at: place, part) else {
                place += 1
                continue
            }
            found.append(start..<end)
            (start, place) = (end, end)
        }
        if start < part.upperBound { found.append(start..<part.upperBound) }
        return found
    }

    private static let wide = Set("。！？；…‥｡".unicodeScalars)
    private static let narrow = Set(".!?".unicodeScalars)
    private static let closing = Set("”’」』）)】〉》]\"'".unicodeScalars)

    /// The end of a sentence whose mark stands at `place`, behind the white space that follows; nil where none ends.
    private static func end(_ text: [Unicode.Scalar], at place: Int, _ part: Range<Int>) -> Int? {
        let scalar = text[place]
        if scalar == "\n" { return paragraphEnd(text, place, part) }
        let isWide = wide.contains(scalar)
        guard isWide || narrow.contains(scalar) else { return nil }
        // A row of marks was looked at from its first.
        if !isWide, place > part.lowerBound, narrow.contains(text[place - 1]) { return nil }
        var next = place + 1
        while next < part.upperBound, wide.contains(text[next]) || narrow.contains(text[next]) { next += 1 }
        while next < part.upperBound, closing.contains(text[next]) { next += 1 }
        let after = skippingSpace(text, next, part)
        if isWide || after == part.upperBound { return after }
        // Behind a narrow mark there is a space, or a character that needs none.
        guard after > next || WrittenKind(text[next]) == .ideographic else { return nil }
        if scalar == ".", isAbbreviation(text, place, part) || text[after].properties.isLowercase { return nil }
        return after
    }

    /// Behind an empty line.
    private static func paragraphEnd(_ text: [Unicode.Scalar], _ place: Int, _ part: Range<Int>) -> Int? {
        let after = skippingSpace(text, place, part)
        let lines = text[place..<after].count { $0 == "\n" }
        return lines > 1 ? after : nil
    }

    private static func skippingSpace(_ text: [Unicode.Scalar], _ place: Int, _ part: Range<Int>) -> Int {
        var place = place
        while place < part.upperBound, text[place].properties.isWhitespace { place += 1 }
        return place
    }

    private static let abbreviations = Set(
        "mr mrs ms dr st prof vs etc e.g i.e vol fig jr sr cf p pp ch ca approx gen col capt lt rev hon"
            .split(separator: " ").map(String.init))

    /// Whether the point belongs to the word before it: `Dr.`, `e.g.`, an initial.
    private static func isAbbreviation(_ text: [Unicode.Scalar], _ place: Int, _ part: Range<Int>) -> Bool {
        var word = String.UnicodeScalarView()
        var index = place - 1
        while index >= part.lowerBound, word.count < 8, text[index] == "." || text[index].properties.isAlphabetic,
            WrittenKind(text[index]) != .ideographic
        {
            word.append(text[index])
            index -= 1
        }
        let name = String(String.UnicodeScalarView(word.reversed()))
        return name.unicodeScalars.count == 1 && name.unicodeScalars.allSatisfy(\.properties.isUppercase)
            || abbreviations.contains(name.lowercased())
    }
}
