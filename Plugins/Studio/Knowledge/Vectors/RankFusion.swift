// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Two orders made one by reciprocal ranks, so that scores need not be comparable.
///
/// Cormack, Clarke, Büttcher: Reciprocal Rank Fusion, SIGIR 2009, with their k of 60.
enum RankFusion {
    /// Where something stands in each order, from 1; 0: not in it.
    struct Place: Sendable, Hashable {
        var number: Int
        var textRank = 0
        var vectorRank = 0

        /// The sum of 1 / (60 + rank).
        var score: Double { Self.share(textRank) + Self.share(vectorRank) }

        private static func share(_ rank: Int) -> Double { rank > 0 ? 1 / Double(60 + rank) : 0 }
    }

    /// Best first; equals by their numbers. Each order names a number once.
    static func fuse(text: [Int], vectors: [Int]) -> [Place] {
        var places: [Int: Place] = [:]
        for (index, number) in text.enumerated() { places[number, default: Place(number: number)].textRank = index + 1 }
        for (index, number) in vectors.enumerated() {
            places[number, default: Place(number: number)].vectorRank = index + 1
        }
        return places.values.sorted { $0.score != $1.score ? $0.score > $1.score : $0.number < $1.number }
    }
}
