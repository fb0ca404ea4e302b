// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Tokens without comments and their words in small letters: what all that reads a text by its words asks for.
protocol TokenReading {
    /// In small letters, without comments.
    var words: [String] { get }
    var tokens: [SQLToken] { get }
}

extension TokenReading {
    func at(_ index: Int) -> String { words.indices.contains(index) ? words[index] : "" }

    func isWord(_ index: Int) -> Bool { tokens.indices.contains(index) && tokens[index].kind == .word }

    /// Whether nothing stands between a token and the one before it.
    func touches(_ index: Int) -> Bool {
        index > 0 && index < tokens.count && tokens[index - 1].range.upperBound == tokens[index].range.lowerBound
    }

    /// The parenthesis that closes one, or the last token.
    func closing(_ opening: Int) -> Int {
        var depth = 0
        for index in opening..<words.count {
            if words[index] == "(" { depth += 1 }
            if words[index] == ")" {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return words.count - 1
    }

    /// The last token of a call that ends at `end`, with FILTER and OVER.
    func pastWindow(_ end: Int) -> Int {
        var end = end
        for word in ["filter", "over"] where at(end + 1) == word {
            end = at(end + 2) == "(" ? closing(end + 2) : end + 2
        }
        return end
    }

    /// The text in single quotes.
    func isString(_ index: Int) -> Bool {
        words.indices.contains(index) && tokens[index].kind == .quoted && words[index].hasPrefix("'")
    }

    /// Digits and nothing else, and no part of a fraction.
    func isWholeNumber(_ index: Int) -> Bool {
        isWord(index) && words[index].utf8.allSatisfy { (48...57).contains($0) }
            && !(at(index + 1) == "." && touches(index + 1)) && !(at(index - 1) == "." && touches(index))
    }

    /// A number, as far as its first token tells.
    func isNumber(_ index: Int) -> Bool {
        isWord(index) && words[index].utf8.first.map { (48...57).contains($0) } == true
    }

    /// Whether an operand may end here, so that a `-` behind it takes something away.
    func endsOperand(_ index: Int) -> Bool {
        guard words.indices.contains(index) else { return false }
        switch tokens[index].kind {
        case .quoted, .parameter, .table: return true
        case .word: return !wordsBeforeOperands.contains(words[index])
        case .punctuation: return words[index] == ")"
        case .comment: return false
        }
    }

    /// Whether `+ - * / %` stands here between two operands.
    func isArithmetic(_ index: Int) -> Bool {
        ["+", "-", "*", "/", "%"].contains(at(index)) && endsOperand(index - 1)
            && !(at(index) == "*" && [",", ")", "from", ";", ""].contains(at(index + 1)))
    }
}

private let wordsBeforeOperands: Set<String> = [
    "select", "distinct", "all", "where", "and", "or", "not", "when", "then", "else", "case", "by", "limit", "offset",
    "on", "having", "between", "in", "like", "escape", "returning", "set", "values", "from", "as", "is", "union",
    "except", "intersect", "default", "check",
]
