// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A text in the languages of a pack, or one that is the same in all of them.
struct PackText: Decodable, Sendable, Equatable {
    /// By language; what is the same in all has no language.
    let texts: [String: String]

    /// Reads `"…"` or `{"en": "…", "ar": "…"}`.
    init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        if let text = try? single.decode(String.self) {
            texts = ["": text]
        } else {
            texts = try single.decode([String: String].self)
        }
    }

    /// The text in a language.
    func text(_ language: String) -> String { texts[language] ?? texts[""] ?? "" }

    /// Whether each language has words, and no other has.
    func covers(_ languages: [String]) -> Bool {
        guard texts.values.allSatisfy({ !$0.isEmpty }) else { return false }
        return Set(texts.keys) == [""] || Set(texts.keys) == Set(languages)
    }
}

/// A list of texts in the languages of a pack, or one that is the same in all of them.
struct PackTexts: Decodable, Sendable, Equatable {
    let texts: [String: [String]]

    /// Reads `["…"]` or `{"en": ["…"], "ar": ["…"]}`.
    init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        if let list = try? single.decode([String].self) {
            texts = ["": list]
        } else {
            texts = try single.decode([String: [String]].self)
        }
    }

    /// The texts in a language.
    func texts(_ language: String) -> [String] { texts[language] ?? texts[""] ?? [] }

    /// Whether each language has texts, none of them empty, and no other has.
    func covers(_ languages: [String]) -> Bool {
        guard texts.values.allSatisfy({ !$0.isEmpty && !$0.contains("") }) else { return false }
        return Set(texts.keys) == [""] || Set(texts.keys) == Set(languages)
    }
}
