// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Many patterns looked for at once in scalars: the longest that starts earliest wins, and findings never overlap.
///
/// Alphabets are matched without case and only as whole words.
struct PatternTrie: Sendable {
    /// A pattern found.
    struct Match: Equatable {
        /// Which, by the order patterns were added in.
        var pattern: Int
        /// Where, in scalars.
        var range: Range<Int>
    }

    private struct Node {
        var next: [UInt32: Int32] = [:]
        var pattern: Int32 = -1
    }

    private var nodes = [Node()]
    private(set) var count = 0

    /// Builds from patterns; the first of two that are the same wins.
    init(_ patterns: [String]) {
        for pattern in patterns { add(pattern) }
    }

    private mutating func add(_ pattern: String) {
        var node = 0
        for scalar in pattern.unicodeScalars {
            let value = Self.folded(scalar.value)
            if let next = nodes[node].next[value] {
                node = Int(next)
            } else {
                nodes.append(Node())
                nodes[node].next[value] = Int32(nodes.count - 1)
                node = nodes.count - 1
            }
        }
        if node != 0, nodes[node].pattern < 0 { nodes[node].pattern = Int32(count) }
        count += 1
    }

    /// Every match in a text, in order of place.
    func matches(in scalars: [UInt32]) -> [Match] {
        var matches: [Match] = []
        var index = 0
        while index < scalars.count {
            if let match = longest(at: index, in: scalars) {
                matches.append(match)
                index = match.range.upperBound
            } else {
                index += 1
            }
        }
        return matches
    }

    private func longest(at start: Int, in scalars: [UInt32]) -> Match? {
        var node = 0
        var best: Match?
        var index = start
        while index < scalars.count, let next = nodes[node].next[Self.folded(scalars[index])] {
            node = Int(next)
            index += 1
            if nodes[node].pattern >= 0, standsAlone(start..<index, in: scalars) {
                best = Match(pattern: Int(nodes[node].pattern), range: start..<index)
            }
        }
        return best
    }

    /// Whether no letter of the same word stands before or behind; Han characters have no words to break.
    private func standsAlone(_ range: Range<Int>, in scalars: [UInt32]) -> Bool {
        if range.lowerBound > 0, Self.isLetter(scalars[range.lowerBound]), Self.isLetter(scalars[range.lowerBound - 1])
        {
            return false
        }
        guard range.upperBound < scalars.count else { return true }
        return !(Self.isLetter(scalars[range.upperBound - 1]) && Self.isLetter(scalars[range.upperBound]))
    }

    private static func folded(_ scalar: UInt32) -> UInt32 { (0x41...0x5A).contains(scalar) ? scalar + 32 : scalar }

    private static func isLetter(_ scalar: UInt32) -> Bool {
        (0x61...0x7A).contains(scalar) || (0x41...0x5A).contains(scalar) || (0x30...0x39).contains(scalar)
            || (0xC0...0x24F).contains(scalar)
    }
}

extension String {
    /// The values of the scalars.
    var scalarValues: [UInt32] { unicodeScalars.map(\.value) }

    /// Text from scalar values; what is no scalar is left out.
    init(scalarValues: some Sequence<UInt32>) {
        var view = String.UnicodeScalarView()
        for value in scalarValues { if let scalar = Unicode.Scalar(value) { view.append(scalar) } }
        self.init(view)
    }
}
