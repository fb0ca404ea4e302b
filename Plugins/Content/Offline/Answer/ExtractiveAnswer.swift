// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Counts tokens as a language model roughly would: one a Han character, 1.3 a word.
enum TokenCount {
    /// Tokens of a text, estimated.
    static func estimate(_ text: String) -> Int {
        var han = 0
        var words = 0
        var inWord = false
        for scalar in text.unicodeScalars {
            let isHan = Script.isHan(scalar.value)
            let isWord = !isHan && Script.isWord(scalar.value)
            if isHan { han += 1 } else if isWord, !inWord { words += 1 } else if scalar.value > 0x2FFF { han += 1 }
            inWord = isWord
        }
        return han + (words * 13 + 9) / 10
    }
}

/// An answer made of sentences the conversation has.
struct ExtractiveAnswer: Equatable {
    /// Sentences, in the order of the conversation, or one that says that there are none.
    var parts: [String]
    /// Whether more sentences would have been given.
    var isCut: Bool

    /// All of it.
    var text: String { parts.joined() }

    /// Most sentences of an answer.
    private static let most = 6

    /// Answers the last text from those before it and, where it is long, from itself.
    /// - Parameter maxTokens: 0 for 400.
    static func answer(_ texts: [String], maxTokens: Int) -> ExtractiveAnswer {
        let limit = maxTokens == 0 ? 400 : maxTokens
        guard let question = texts.last else { return ExtractiveAnswer(parts: [], isCut: false) }
        let sources = texts.map(SourceText.init)
        let wanted = Set(query(question, sources[sources.count - 1]))
        var found: [(order: Int, text: String, score: Double)] = []
        var order = 0
        for (index, source) in sources.enumerated() {
            let last = index == sources.count - 1
            // The question itself is no answer to the question.
            let sentences = last ? source.sentences.dropLast() : source.sentences[...]
            for sentence in sentences {
                order += 1
                let terms = Set(source.terms(in: sentence.range))
                let shared = terms.intersection(wanted).count
                guard shared > 0 else { continue }
                found.append(
                    (order, source.text(sentence.range), Double(shared) / Double(terms.count + 8).squareRoot()))
            }
        }
        found.sort { ($1.score, $0.order) < ($0.score, $1.order) }
        let chosen = found.prefix(most).sorted { $0.order < $1.order }.map(\.text)
        let isChinese = sources[sources.count - 1].isChinese
        guard !chosen.isEmpty else { return fit([nothing(isChinese)], limit) }
        return fit(
            isChinese ? chosen : chosen.enumerated().map { $0.offset == 0 ? $0.element : " " + $0.element }, limit)
    }

    private static func query(_ question: String, _ source: SourceText) -> [UInt64] {
        guard let last = source.sentences.last else { return [] }
        return source.terms(in: last.range)
    }

    private static func nothing(_ isChinese: Bool) -> String {
        isChinese
            ? "对话里没有与问题相关的句子；离线模型只摘录，不创作。"
            : "Nothing in the conversation is about the question; the offline model extracts and does not invent."
    }

    /// As many sentences as fit; a first one that does not is cut at a character.
    private static func fit(_ sentences: [String], _ limit: Int) -> ExtractiveAnswer {
        var parts: [String] = []
        var tokens = 0
        for sentence in sentences {
            let count = TokenCount.estimate(sentence)
            if tokens + count > limit {
                if parts.isEmpty { parts.append(cut(sentence, limit)) }
                return ExtractiveAnswer(parts: parts.filter { !$0.isEmpty }, isCut: true)
            }
            parts.append(sentence)
            tokens += count
        }
        return ExtractiveAnswer(parts: parts, isCut: false)
    }

    /// The longest beginning that is no more than a number of tokens.
    private static func cut(_ sentence: String, _ limit: Int) -> String {
        let scalars = sentence.scalarValues
        let fits = Array(0...scalars.count).partitioningIndex { count in
            TokenCount.estimate(String(scalarValues: scalars[..<count])) > limit
        }
        return String(scalarValues: scalars[..<max(0, fits - 1)])
    }
}
