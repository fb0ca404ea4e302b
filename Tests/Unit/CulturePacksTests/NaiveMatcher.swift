// TheatreOS
// SPDX-License-Identifier: Apache-2.0

@testable import CulturePacks

/// The rules of matching once more, as slowly and plainly as they can be said.
struct NaiveMatcher {
    let folding: ScalarFolding
    let patterns: [[UInt32]]

    /// All that Arabic joins to the front of a word.
    private static let particles: Set<[UInt32]> = {
        var all: Set<[UInt32]> = []
        for first in ["", "و", "ف"] {
            for second in ["", "ب", "ك", "ل"] {
                for third in ["", "ال"] { all.insert((first + second + third).scalarValues) }
            }
            all.insert((first + "لل").scalarValues)
        }
        return all
    }()

    init(_ patterns: [String], _ folding: ScalarFolding) {
        self.folding = folding
        self.patterns = patterns.map { folding.fold($0).keys }
    }

    /// Ranges in scalars, in order.
    func ranges(_ text: String) -> [Range<Int>] {
        let folded = folding.fold(text)
        var ranges: [Range<Int>] = []
        var start = 0
        while start < folded.keys.count {
            let ends = patterns.compactMap { end(of: $0, at: start, folded) }
            guard let end = ends.max() else {
                start += 1
                continue
            }
            var last = folded.places[end - 1] + 1
            while last < folded.scalars.count, LetterForms.isMark(folded.scalars[last]) { last += 1 }
            ranges.append(folded.places[start]..<last)
            start = end
        }
        return ranges
    }

    private func end(of pattern: [UInt32], at start: Int, _ text: FoldedText) -> Int? {
        let keys = text.keys
        var end = start + pattern.count
        guard end <= keys.count, Array(keys[start..<end]) == pattern, text.isBoundary(start), text.isBoundary(end)
        else {
            return nil
        }
        func isWord(_ index: Int) -> Bool { keys.indices.contains(index) && LetterForms.isOfWord(keys[index]) }
        if isWord(start), isWord(start - 1) {
            let head = keys[..<start].reversed().prefix { LetterForms.isOfWord($0) }.reversed()
            guard LetterForms.isArabic(keys[start]), Self.particles.contains(Array(head)) else { return nil }
        }
        if isWord(end - 1), isWord(end) {
            guard LetterForms.isArabic(keys[end - 1]), keys[end] == 0x627, !isWord(end + 1), text.isBoundary(end + 1)
            else { return nil }
            end += 1
        }
        return end
    }
}
