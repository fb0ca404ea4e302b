// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Many patterns looked for at once: the longest that starts earliest wins, and findings never overlap.
///
/// Where a script parts words by spaces, only whole words are found. Arabic joins particles and the article to the word
/// behind them, and the end of the accusative to the word before it: `والبطاطس` and `هاتفا` hold بطاطس and هاتف.
struct PatternTrie: Sendable {
    /// A pattern found.
    struct Match: Equatable {
        /// Which, by the order of the patterns.
        var pattern: Int
        /// Where, in scalars of the text as written.
        var range: Range<Int>
    }

    /// An open hash of edges: node and key give the next node. Zero is none.
    private var edges: [UInt64]
    private var targets: [Int32]
    private var shift: UInt64
    /// The pattern that ends at a node, or -1.
    private var ends: [Int32] = [-1]

    /// Builds from patterns as they are folded; the first of two that are the same wins.
    init(_ patterns: [[UInt32]]) {
        var next: [UInt64: Int32] = [:]
        for (index, pattern) in patterns.enumerated() {
            var node: Int32 = 0
            for key in pattern {
                let edge = Self.edge(node, key)
                if let known = next[edge] {
                    node = known
                } else {
                    node = Int32(ends.count)
                    next[edge] = node
                    ends.append(-1)
                }
            }
            if node != 0, ends[Int(node)] < 0 { ends[Int(node)] = Int32(index) }
        }
        var bits: UInt64 = 4
        while 1 << bits < next.count * 3 { bits += 1 }
        shift = 64 - bits
        edges = Array(repeating: 0, count: 1 << bits)
        targets = Array(repeating: 0, count: 1 << bits)
        for (edge, node) in next {
            var slot = slot(edge)
            while edges[slot] != 0 { slot = (slot + 1) & (edges.count - 1) }
            edges[slot] = edge
            targets[slot] = node
        }
    }

    private static func edge(_ node: Int32, _ key: UInt32) -> UInt64 { UInt64(node) << 32 | UInt64(key) + 1 }

    private func slot(_ edge: UInt64) -> Int { Int((edge &* 0x9E37_79B9_7F4A_7C15) >> shift) }

    private func next(_ node: Int32, _ key: UInt32) -> Int32? {
        let edge = Self.edge(node, key)
        var slot = slot(edge)
        while edges[slot] != edge {
            if edges[slot] == 0 { return nil }
            slot = (slot + 1) & (edges.count - 1)
        }
        return targets[slot]
    }

    /// Every match in a text, in order of place.
    func matches(in text: FoldedText) -> [Match] {
        var matches: [Match] = []
        var index = 0
        while index < text.keys.count {
            var best: (pattern: Int, end: Int)?
            visit(index, text) { best = ($0, $1) }
            if let best {
                matches.append(Match(pattern: best.pattern, range: text.range(index..<best.end)))
                index = best.end
            } else {
                index += 1
            }
        }
        return matches
    }

    /// Which patterns a text has somewhere, also within others.
    func contained(in text: FoldedText) -> Set<Int> {
        var found: Set<Int> = []
        for index in text.keys.indices { visit(index, text) { pattern, _ in found.insert(pattern) } }
        return found
    }

    /// Each pattern that starts at a key, the shortest first, with the key behind it.
    private func visit(_ start: Int, _ text: FoldedText, _ found: (Int, Int) -> Void) {
        guard var node = next(0, text.keys[start]), text.isBoundary(start) else { return }
        var index = start + 1
        var mayStart: Bool?
        while true {
            if ends[Int(node)] >= 0, let end = WordEdges.end(index, text) {
                let starts = mayStart ?? WordEdges.mayStart(start, text)
                mayStart = starts
                guard starts else { return }
                found(Int(ends[Int(node)]), end)
            }
            guard index < text.keys.count, let deeper = next(node, text.keys[index]) else { return }
            node = deeper
            index += 1
        }
    }
}
