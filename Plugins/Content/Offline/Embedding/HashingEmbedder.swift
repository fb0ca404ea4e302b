// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Turns texts into vectors by signed feature hashing: characters in ones, twos and threes for Han, words and the
/// threes inside them for alphabets, weighted by 1 + log2 of how often they stand, scaled to length one.
struct HashingEmbedder {
    /// Length of a vector where nothing else is asked for.
    static let dimensions = 256
    /// Lengths that can be asked for; the shorter a vector, the more features share a place in it.
    static let lengths = 16...4096

    /// The model that gives vectors of a length, as it names itself.
    static func model(_ dimensions: Int) -> String { "offline-hashing-\(dimensions)" }

    /// The vector of a text; nil where nothing in it can be counted.
    static func vector(of text: String, dimensions: Int = dimensions) -> [Float]? {
        var counts: [UInt64: (count: Int, weight: Double)] = [:]
        for (hash, weight) in features(of: text) { counts[hash] = ((counts[hash]?.count ?? 0) + 1, weight) }
        guard !counts.isEmpty else { return nil }
        var sums = [Double](repeating: 0, count: dimensions)
        // By hash: a sum of floating-point numbers depends on its order.
        for (hash, use) in counts.sorted(by: { $0.key < $1.key }) {
            let value = use.weight * (1 + logarithm(Double(use.count)))
            sums[Int(hash % UInt64(dimensions))] += hash >> 63 == 0 ? value : -value
        }
        let norm = sums.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard norm > 0 else { return nil }
        return sums.map { Float($0 / norm) }
    }

    private static func features(of text: String) -> [(UInt64, Double)] {
        let scalars = text.scalarValues.map(Script.lower)
        var features: [(UInt64, Double)] = []
        var index = 0
        while index < scalars.count {
            let start = index
            if Script.isHan(scalars[index]) {
                while index < scalars.count, Script.isHan(scalars[index]) { index += 1 }
                for (length, weight) in [(1, 0.4), (2, 1.0), (3, 0.8)] where index - start >= length {
                    for first in start...index - length {
                        features.append((StableHash.of(kind: UInt8(length), scalars[first..<first + length]), weight))
                    }
                }
            } else if Script.isWord(scalars[index]) {
                while index < scalars.count, Script.isWord(scalars[index]), !Script.isHan(scalars[index]) { index += 1 }
                features += word(scalars[start..<index])
            } else {
                index += 1
            }
        }
        return features
    }

    private static func word(_ scalars: ArraySlice<UInt32>) -> [(UInt64, Double)] {
        let common = EnglishWords.stop.contains(String(scalarValues: scalars))
        var features = [(StableHash.of(kind: 16, scalars), common ? 0.15 : 1.0)]
        guard !common else { return features }
        // The bounds are marked so that the start and the end of a word count for themselves.
        let marked = [0x5E] + scalars + [0x24]
        guard marked.count >= 3 else { return features }
        for first in 0...marked.count - 3 {
            features.append((StableHash.of(kind: 17, marked[first..<first + 3]), 0.35))
        }
        return features
    }
}
