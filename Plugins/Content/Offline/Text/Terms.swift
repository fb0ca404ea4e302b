// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A word of an alphabet, or digits.
struct Word: Equatable {
    /// In lower case.
    var text: String
    /// Where it stands, in scalars.
    var range: Range<Int>
    var isCapitalised: Bool
}

extension SourceText {
    /// Words of an alphabet inside a range, in order; an apostrophe inside a word belongs to it.
    func words(in range: Range<Int>) -> [Word] {
        var words: [Word] = []
        var index = range.lowerBound
        while index < range.upperBound {
            guard Script.isLetter(scalars[index]) || Script.isDigit(scalars[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < range.upperBound {
                let inner =
                    (scalars[index] == 0x27 || scalars[index] == 0x2019 || scalars[index] == 0x2D)
                    && index + 1 < range.upperBound && Script.isLetter(scalars[index + 1])
                guard inner || Script.isLetter(scalars[index]) || Script.isDigit(scalars[index]) else { break }
                index += 1
            }
            let text = String(scalarValues: scalars[start..<index].map { $0 == 0x2019 ? 0x27 : Script.lower($0) })
            words.append(Word(text: text, range: start..<index, isCapitalised: Script.isUpper(scalars[start])))
        }
        return words
    }

    /// What a range is about: pairs of Han characters and stems of words, without those that say nothing.
    func terms(in range: Range<Int>) -> [UInt64] {
        var terms: [UInt64] = []
        var index = range.lowerBound
        while index + 1 < range.upperBound {
            let (first, second) = (scalars[index], scalars[index + 1])
            if Script.isHan(first), Script.isHan(second), !ChineseWords.stop.contains(first),
                !ChineseWords.stop.contains(second)
            {
                terms.append(UInt64(first) << 21 | UInt64(second))
            }
            index += 1
        }
        for word in words(in: range) where word.text.utf8.count > 2 && !EnglishWords.stop.contains(word.text) {
            terms.append(StableHash.of(Self.stem(word.text).utf8) | 1 << 63)
        }
        return terms
    }

    /// A word without the endings that number and tense give it.
    static func stem(_ word: String) -> String {
        for ending in ["'s", "ing", "edly", "ed", "es", "ly", "s"]
        where word.hasSuffix(ending) && word.utf8.count - ending.utf8.count >= 4 {
            return String(word.dropLast(ending.count))
        }
        return word
    }
}
