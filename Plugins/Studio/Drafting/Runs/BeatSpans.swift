// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts

/// Where each beat stands in the chapter, in Unicode scalars. What a provider says is checked against its quotes,
/// because language models count badly.
struct BeatSpans: Sendable, Hashable {
    /// One for each beat.
    let spans: [Range<Int>]

    init(_ beats: [ContentBeat], in text: [Unicode.Scalar]) {
        let starts = Self.starts(beats, text)
        var spans: [Range<Int>] = []
        for (index, beat) in beats.enumerated() {
            let start = starts[index]
            if start == Int(beat.start), beat.end > beat.start, Int(beat.end) <= text.count {
                spans.append(start..<Int(beat.end))
            } else {
                let end = index + 1 < starts.count ? starts[index + 1] : text.count
                spans.append(start..<max(start, end))
            }
        }
        self.spans = spans
    }

    /// The beat that a place belongs to, by index: the first that holds it, else the last that starts before it.
    func beat(at place: Int) -> Int? {
        spans.firstIndex { $0.contains(place) } ?? spans.lastIndex { $0.lowerBound <= place }
            ?? (spans.isEmpty ? nil : 0)
    }

    private static func starts(_ beats: [ContentBeat], _ text: [Unicode.Scalar]) -> [Int] {
        var previous = 0
        return beats.map { beat in
            let said = Int(beat.start)
            let quoted = find(Array(beat.quote.unicodeScalars), in: text)
            let isValid = beat.end > beat.start && Int(beat.end) <= text.count
            if isValid, quoted.map({ said <= $0 && $0 < Int(beat.end) }) ?? true {
                previous = said
            } else if let quoted {
                previous = quoted
            }
            return previous
        }
    }

    private static func find(_ words: [Unicode.Scalar], in text: [Unicode.Scalar]) -> Int? {
        guard let first = words.first, words.count <= text.count else { return nil }
        for start in 0...(text.count - words.count)
        where text[start] == first && text[start..<(start + words.count)].elementsEqual(words) {
            return start
        }
        return nil
    }
}
