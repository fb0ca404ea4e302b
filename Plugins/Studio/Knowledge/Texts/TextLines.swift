// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The lines of a text, with their places in Unicode scalars.
struct TextLines: Sequence {
    /// Without its end.
    struct Line {
        var start: Int
        var text: String.UnicodeScalarView.SubSequence
    }

    let text: String

    func makeIterator() -> AnyIterator<Line> {
        let scalars = text.unicodeScalars
        var index = scalars.startIndex
        var place = 0
        return AnyIterator {
            guard index < scalars.endIndex else { return nil }
            let begin = index
            var count = 0
            while index < scalars.endIndex, scalars[index] != "\n" {
                index = scalars.index(after: index)
                count += 1
            }
            var line = scalars[begin..<index]
            if line.last == "\r" { line.removeLast() }
            let start = place
            place += count
            if index < scalars.endIndex {
                index = scalars.index(after: index)
                place += 1
            }
            return Line(start: start, text: line)
        }
    }
}
