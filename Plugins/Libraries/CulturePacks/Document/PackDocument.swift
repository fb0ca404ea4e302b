// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A culture pack as data: the JSON document that stands in a pack's folder and is embedded in its library.
struct PackDocument: Decodable, Sendable {
    /// Version of this form of document: 1.
    var pack: Int
    /// Of the pack, such as `bianjing`.
    var id: String
    /// Raised with every change of the content.
    var version: String
    /// What the pack describes itself in, its own first.
    var languages: [String]
    var name: PackText
    var summary: PackText
    /// Letters read as others when words are looked for, two a text: `龍龙` reads 龍 as 龙.
    var variants: [String]
    var vocabulary: [PackTerm]
    var norms: [PackNorm]
    var taboos: [PackTaboo]
    var stages: [PackStage]
    var themes: [PackTheme]
    var prompts: [PackPrompt]

    /// Reads a document; what it says is checked by ``faults``.
    init(json: Data) throws {
        self = try JSONDecoder().decode(PackDocument.self, from: json)
    }
}

/// A word of the setting.
struct PackTerm: Decodable, Sendable, Equatable {
    var term: String
    var meaning: String
    var category: String
    var source: String
    /// Other spellings, such as transliterations.
    var forms: [String]?
}

/// What should or should not be shown.
struct PackNorm: Decodable, Sendable, Equatable {
    /// visual, signage, costume, prop or naming.
    var kind: String
    var show: Bool
    var text: PackText
    var source: String
    /// Words that make it relevant.
    var cues: [String]
    /// What prompts and designs must not ask for, with its code, severity and replacement.
    var judged: Judged?

    /// How a norm is judged.
    struct Judged: Decodable, Sendable, Equatable {
        var code: String
        var patterns: [String]
        var severity: String
        var instead: String
    }
}

/// A rule against something.
struct PackTaboo: Decodable, Sendable, Equatable {
    var code: String
    var patterns: [String]
    /// violation, warning or suggestion.
    var severity: String
    var reason: PackText
    var instead: String
    /// prose, prompt, design. None: all.
    var kinds: [String]?
}

/// A place where a scene can stand.
struct PackStage: Decodable, Sendable, Equatable {
    var id: String
    var name: PackText
    var description: PackText
    var details: PackTexts
    var hours: [String]
    var source: String
    /// Words that put a scene here, besides its names.
    var cues: [String]
}

/// A prompt to begin from.
struct PackPrompt: Decodable, Sendable, Equatable {
    var id: String
    var purpose: String
    var text: PackText
}
