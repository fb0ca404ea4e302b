// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The vectors of a version, one after the other in memory, each of unit length.
///
/// Rows are blocks of sixteen floats, the last filled up with zeros, so that the kernel needs no rest.
struct VectorMatrix: Sendable {
    /// Of each row.
    let dimensions: Int
    /// How many rows there are.
    private(set) var rows = 0
    private let width: Int
    private var blocks: [SIMD16<Float>] = []

    /// Without rows.
    ///
    /// - Parameter capacity: how many there will be.
    init(dimensions: Int, capacity: Int = 0) {
        precondition(dimensions > 0, "a vector has dimensions")
        self.dimensions = dimensions
        width = (dimensions + 15) / 16
        blocks.reserveCapacity(capacity * width)
    }

    /// Bytes it takes.
    var size: Int { blocks.count * 64 }

    /// Adds a row.
    ///
    /// - Returns: false, and nothing is added, where it has other dimensions.
    mutating func append(_ vector: [Float]) -> Bool {
        guard vector.count == dimensions else { return false }
        blocks += Self.blocks(vector)
        rows += 1
        return true
    }

    /// The rows nearest to a question by cosine, nearest first; equals by their order.
    func nearest(to question: [Float], count: Int) -> [(row: Int, score: Float)] {
        guard question.count == dimensions, rows > 0 else { return [] }
        let asked = Self.blocks(question)
        var best = TopRanked(count)
        blocks.withUnsafeBufferPointer { blocks in
            asked.withUnsafeBufferPointer { asked in
                for row in 0..<rows {
                    let start = row * width
                    // Four sums that do not wait for each other.
                    var (a, b, c, d) = (
                        SIMD16<Float>.zero, SIMD16<Float>.zero, SIMD16<Float>.zero, SIMD16<Float>.zero
                    )
                    var block = 0
                    while block + 4 <= width {
                        a += blocks[start + block] * asked[block]
                        b += blocks[start + block + 1] * asked[block + 1]
                        c += blocks[start + block + 2] * asked[block + 2]
                        d += blocks[start + block + 3] * asked[block + 3]
                        block += 4
                    }
                    while block < width {
                        a += blocks[start + block] * asked[block]
                        block += 1
                    }
                    best.offer(row, ((a + b) + (c + d)).sum())
                }
            }
        }
        return best.sorted
    }

    private static func blocks(_ vector: [Float]) -> [SIMD16<Float>] {
        let length = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        let scale = length > 0 && length.isFinite ? Float(1 / length) : 0
        return stride(from: 0, to: vector.count, by: 16).map { start in
            var block = SIMD16<Float>.zero
            for place in start..<min(start + 16, vector.count) {
                let value = vector[place] * scale
                block[place - start] = value.isFinite ? value : 0
            }
            return block
        }
    }
}
