// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The best of many, kept in a heap whose root is the worst of them.
struct TopRanked {
    private let most: Int
    private var heap: [(row: Int, score: Float)] = []

    /// Keeps at most `most`.
    init(_ most: Int) {
        self.most = max(0, most)
        heap.reserveCapacity(self.most)
    }

    /// Takes one that is better than the worst that is kept.
    @inline(__always) mutating func offer(_ row: Int, _ score: Float) {
        if heap.count < most {
            heap.append((row, score))
            rise(heap.count - 1)
        } else if let worst = heap.first, Self.isWorse(worst, (row, score)) {
            heap[0] = (row, score)
            sink(0)
        }
    }

    /// Best first; equals by their rows.
    var sorted: [(row: Int, score: Float)] { heap.sorted { Self.isWorse($1, $0) } }

    private static func isWorse(_ a: (row: Int, score: Float), _ b: (row: Int, score: Float)) -> Bool {
        a.score != b.score ? a.score < b.score : a.row > b.row
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard Self.isWorse(heap[place], heap[parent]) else { return }
            heap.swapAt(place, parent)
            place = parent
        }
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var worst = place
            for child in (2 * place + 1)..<(2 * place + 3) where child < heap.count {
                if Self.isWorse(heap[child], heap[worst]) { worst = child }
            }
            guard worst != place else { return }
            heap.swapAt(place, worst)
            place = worst
        }
    }
}
