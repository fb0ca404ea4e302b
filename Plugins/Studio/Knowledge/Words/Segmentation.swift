// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A text as the words that full text finds it by: pairs of characters where a script has no spaces, folded words
/// elsewhere.
///
/// Neither FTS5 nor PostgreSQL's `simple` finds Chinese words by itself; pairs need no dictionary and miss none. The
/// last character of a run also stands alone, so that each character begins a token and is found as its beginning.
enum Segmentation {
    /// What is searched for.
    struct Token: Sendable, Hashable {
        /// Letters and digits only.
        var text: String
        /// Whether it is the beginning of the token that is meant.
        var isPrefix = false
    }

    /// What is longer is nobody's word.
    static let longest = 64

    /// What a text is indexed by, in its order.
    static func tokens(of text: some Sequence<Unicode.Scalar>) -> [String] {
        var tokens: [String] = []
        runs(of: text) { kind, run in
            guard kind == .ideographic else {
                tokens.append(String(run))
                return
            }
            pairs(run) { tokens.append($0) }
            if let last = run.last { tokens.append(String(Character(last))) }
        }
        return tokens
    }

    /// What a question asks for, each once, at most 64.
    static func query(_ text: String) -> [Token] {
        var tokens: [Token] = []
        var seen: Set<Token> = []
        func add(_ token: Token) {
            if tokens.count < 64, seen.insert(token).inserted { tokens.append(token) }
        }
        runs(of: text.unicodeScalars) { kind, run in
            if kind == .ideographic, run.count > 1 {
                pairs(run) { add(Token(text: $0)) }
            } else {
                add(Token(text: String(run), isPrefix: kind == .ideographic))
            }
        }
        return tokens
    }

    private static func pairs(_ run: String.UnicodeScalarView, _ take: (String) -> Void) {
        var previous: Unicode.Scalar?
        for scalar in run {
            if let previous {
                var pair = String.UnicodeScalarView()
                pair.append(previous)
                pair.append(scalar)
                take(String(pair))
            }
            previous = scalar
        }
    }

    private static func runs(
        of text: some Sequence<Unicode.Scalar>, _ take: (WrittenKind, String.UnicodeScalarView) -> Void
    ) {
        var kind = WrittenKind.other
        var run = String.UnicodeScalarView()
        func end() {
            if !run.isEmpty { take(kind, kind == .word ? String.UnicodeScalarView(run.prefix(longest)) : run) }
            run = String.UnicodeScalarView()
        }
        for scalar in text {
            let next = WrittenKind(scalar)
            if next != kind {
                end()
                kind = next
            }
            switch next {
            case .ideographic: run.append(scalar)
            case .word: FoldedLetters.fold(scalar, into: &run)
            case .other: continue
            }
        }
        end()
    }
}
