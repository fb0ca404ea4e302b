// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// How well documents answer a question, by Okapi BM25 over stems and pairs of Han characters.
struct BM25 {
    private let documents: [[UInt64: Int]]
    private let lengths: [Int]
    private let frequencies: [UInt64: Int]

    init(_ texts: [String]) {
        let terms = texts.map(Self.terms)
        documents = terms.map { terms in terms.reduce(into: [:]) { $0[$1, default: 0] += 1 } }
        lengths = terms.map(\.count)
        frequencies = documents.reduce(into: [:]) { counts, document in
            for term in document.keys { counts[term, default: 0] += 1 }
        }
    }

    /// 0 to 1 a document: its share of what a document could have at most for this question.
    func scores(_ query: String) -> [Double] {
        // In order: a sum of floating-point numbers depends on it.
        let wanted = Set(Self.terms(query)).sorted()
        let weights = wanted.map(weight)
        let most = weights.reduce(0, +) * (Self.saturation + 1)
        guard most > 0 else { return documents.map { _ in 0 } }
        let mean = max(1, Double(lengths.reduce(0, +)) / Double(max(1, lengths.count)))
        return documents.indices.map { index in
            let norm = Self.saturation * (1 - Self.lengthShare + Self.lengthShare * Double(lengths[index]) / mean)
            let sum = zip(wanted, weights).reduce(0.0) { sum, term in
                let count = Double(documents[index][term.0] ?? 0)
                return sum + term.1 * count * (Self.saturation + 1) / (count + norm)
            }
            return min(1, sum / most)
        }
    }

    private static let saturation = 1.2
    private static let lengthShare = 0.75

    private func weight(_ term: UInt64) -> Double {
        let count = Double(frequencies[term] ?? 0)
        return logarithm(1 + (Double(documents.count) - count + 0.5) / (count + 0.5))
    }

    private static func terms(_ text: String) -> [UInt64] {
        let source = SourceText(text)
        let terms = source.terms(in: 0..<source.scalars.count)
        // A question of one character, or of words that say little, is still a question.
        return terms.isEmpty ? source.scalars.filter(Script.isWord).map { UInt64(Script.lower($0)) } : terms
    }
}
