// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a document.
struct PackFault: Equatable, Sendable, CustomStringConvertible {
    /// Where, as a JSON pointer.
    var pointer: String
    /// One sentence.
    var message: String

    /// For logs and errors.
    var description: String { "\(pointer): \(message)" }
}

extension PackDocument {
    /// Severities, the gravest first.
    static let severities = ["violation", "warning", "suggestion"]

    /// What is wrong with what the document says, in order of place: empty for one that can serve.
    func faults() -> [PackFault] {
        var list = FaultList(languages: languages)
        list.check(pack == 1, "/pack", "The form of the document is \(pack); 1 is known.")
        list.check(!id.isEmpty && !version.isEmpty, "/id", "Id and version are needed.")
        list.check(
            !languages.isEmpty && languages.allSatisfy { PackPhrases.byLanguage[$0] != nil }, "/languages",
            "Each language is one of \(PackPhrases.byLanguage.keys.sorted().joined(separator: ", ")).")
        list.covers(name, "/name")
        list.covers(summary, "/summary")
        for (index, pair) in variants.enumerated() {
            list.check(pair.unicodeScalars.count == 2, "/variants/\(index)", "\"\(pair)\" is not two letters.")
        }
        checkTables(&list)
        checkRules(&list)
        for (index, theme) in themes.enumerated() { theme.check(&list, "/themes/\(index)") }
        list.unique(themes.map(\.id), "/themes")
        list.unique(prompts.map(\.id), "/prompts")
        for (index, prompt) in prompts.enumerated() {
            list.covers(prompt.text, "/prompts/\(index)/text")
            list.choice(prompt.purpose, ["scene", "dialogue", "image", "signage"], "/prompts/\(index)/purpose")
        }
        return list.faults
    }

    private func checkTables(_ list: inout FaultList) {
        list.unique(vocabulary.map(\.term), "/vocabulary")
        for (index, term) in vocabulary.enumerated() {
            let place = "/vocabulary/\(index)"
            list.filled([term.term, term.meaning, term.source] + (term.forms ?? []), place)
            list.choice(
                term.category, ["food", "costume", "street", "trade", "festival", "title", "object"],
                "\(place)/category")
        }
        list.unique(stages.map(\.id), "/stages")
        for (index, stage) in stages.enumerated() {
            let place = "/stages/\(index)"
            list.filled([stage.id, stage.source] + stage.cues, place)
            list.covers(stage.name, "\(place)/name")
            list.covers(stage.description, "\(place)/description")
            list.check(stage.details.covers(languages), "\(place)/details", "Details lack in a language.")
            list.check(!stage.hours.isEmpty, "\(place)/hours", "A stage needs an hour.")
            for hour in stage.hours {
                list.choice(hour, ["dawn", "day", "dusk", "night", "festival"], "\(place)/hours")
            }
        }
        for (index, norm) in norms.enumerated() {
            let place = "/norms/\(index)"
            list.filled([norm.source] + norm.cues, place)
            list.covers(norm.text, "\(place)/text")
            list.choice(norm.kind, ["visual", "signage", "costume", "prop", "naming"], "\(place)/kind")
            list.check(
                norm.judged == nil || !norm.show, "\(place)/judged",
                "What is to be shown cannot be looked for as a fault.")
        }
    }

    /// Rules have each their code and their words: of two rules with one word the second would never be found.
    private func checkRules(_ list: inout FaultList) {
        let folding = ScalarFolding(variants)
        var owners: [TextKinds: [[UInt32]: String]] = [:]
        list.unique(rules.map(\.code), "/taboos")
        for rule in rules {
            list.choice(rule.severity, Self.severities, "\(rule.pointer)/severity")
            list.filled([rule.code, rule.instead], rule.pointer)
            list.covers(rule.reason, "\(rule.pointer)/reason")
            list.check(!rule.patterns.isEmpty, "\(rule.pointer)/patterns", "\(rule.code) looks for nothing.")
            list.check(!rule.kinds.isEmpty, "\(rule.pointer)/kinds", "A kind is not prose, prompt or design.")
            for pattern in rule.patterns {
                let keys = folding.fold(pattern).keys
                list.check(!keys.isEmpty, "\(rule.pointer)/patterns", "\(rule.code) looks for no letter.")
                for kind in TextKinds.each where rule.kinds.contains(kind) {
                    let owner = owners[kind, default: [:]].updateValue(rule.code, forKey: keys)
                    list.check(
                        owner == nil || owner == rule.code, "\(rule.pointer)/patterns",
                        "\(pattern) is looked for by \(owner ?? "") already.")
                }
            }
        }
    }
}
