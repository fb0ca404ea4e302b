// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts

/// Kinds of text a rule holds for.
struct TextKinds: OptionSet, Sendable, Hashable {
    let rawValue: Int
    static let prose = TextKinds(rawValue: 1)
    static let prompt = TextKinds(rawValue: 2)
    static let design = TextKinds(rawValue: 4)
    static let all: TextKinds = [.prose, .prompt, .design]
    /// One after the other.
    static let each: [TextKinds] = [.prose, .prompt, .design]

    init(rawValue: Int) { self.rawValue = rawValue }

    /// Of the contract's kind; what is unknown is judged as prose.
    init(_ kind: CultureTextKind) {
        switch kind {
        case .prompt: self = .prompt
        case .design: self = .design
        default: self = .prose
        }
    }

    /// By the names of a document; empty where one is unknown.
    init(names: [String]?) {
        guard let names else {
            self = .all
            return
        }
        let known: [String: TextKinds] = ["prose": .prose, "prompt": .prompt, "design": .design]
        let found = names.compactMap { known[$0] }
        self = found.count == names.count ? TextKinds(found) : []
    }

    /// The contract's kinds.
    var kinds: [CultureTextKind] {
        zip(Self.each, [CultureTextKind.prose, .prompt, .design]).filter { contains($0.0) }.map(\.1)
    }
}

/// What is looked for in texts: a taboo, or a norm with words that break it.
struct PackRule: Sendable {
    var code: String
    var severity: String
    var reason: PackText
    var instead: String
    var patterns: [String]
    var kinds: TextKinds
    /// Which of the contract's constraints it belongs to.
    var group: String
    /// Where it stands in the document.
    var pointer: String
}

extension PackDocument {
    /// All that is looked for, taboos first.
    var rules: [PackRule] {
        let ofTaboos = taboos.enumerated().map { index, taboo in
            PackRule(
                code: taboo.code, severity: taboo.severity, reason: taboo.reason, instead: taboo.instead,
                patterns: taboo.patterns, kinds: TextKinds(names: taboo.kinds), group: "taboo",
                pointer: "/taboos/\(index)")
        }
        let ofNorms = norms.enumerated().compactMap { index, norm in
            norm.judged.map {
                PackRule(
                    code: $0.code, severity: $0.severity, reason: norm.text, instead: $0.instead,
                    patterns: $0.patterns, kinds: [.prompt, .design], group: norm.group,
                    pointer: "/norms/\(index)/judged")
            }
        }
        return ofTaboos + ofNorms
    }
}

extension PackNorm {
    /// Which of the contract's constraints it belongs to.
    var group: String {
        switch kind {
        case "visual": show ? "visual_do" : "visual_dont"
        case "signage": "signage_rules"
        case "costume": "costume_norms"
        case "prop": "prop_norms"
        default: "naming_rules"
        }
    }
}
