// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Nearness of scenes in meaning.
enum Similarity {
    /// For one vector, the numbers (from 1) of the others nearest to it, nearest first; opposite or unrelated ones
    /// are left out.
    static func nearest(to index: Int, in vectors: [[Float]], count: Int = 3) -> [UInt32] {
        guard vectors.indices.contains(index) else { return [] }
        var others: [(number: UInt32, cosine: Float)] = []
        for (other, vector) in vectors.enumerated() where other != index {
            others.append((UInt32(other + 1), cosine(vectors[index], vector)))
        }
        return others.filter { $0.cosine > 0 }
            .sorted { ($0.cosine, $1.number) > ($1.cosine, $0.number) }
            .prefix(count).map(\.number)
    }

    /// -1 to 1; 0 for vectors of different length or without any.
    static func cosine(_ a: [Float], _ b: [Float]) -> Float {
        guard a.count == b.count else { return 0 }
        var dot: Float = 0
        var sizeA: Float = 0
        var sizeB: Float = 0
        for index in a.indices {
            dot += a[index] * b[index]
            sizeA += a[index] * a[index]
            sizeB += b[index] * b[index]
        }
        let size = (sizeA * sizeB).squareRoot()
        return size > 0 ? dot / size : 0
    }
}
