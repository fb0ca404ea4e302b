// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension CulturePack {
    /// Where the pack breaks its own rules: words of the setting, what is to be shown and what is to be written instead
    /// hold nothing that it looks for. Empty for a pack whose do and don't agree.
    func contradictions() -> [PackFault] {
        var faults: [PackFault] = []
        func read(_ texts: [String], _ pointer: String) {
            for text in texts {
                for kind in TextKinds.each {
                    guard let finding = judge.judge(text, as: kind).findings.first else { continue }
                    let code = judge.rules[finding.rule].code
                    faults.append(
                        PackFault(pointer: pointer, message: "\(code) forbids \"\(finding.quote)\", which stands here.")
                    )
                    break
                }
            }
        }
        for (index, term) in document.vocabulary.enumerated() {
            read([term.term, term.meaning] + (term.forms ?? []), "/vocabulary/\(index)")
        }
        for (index, norm) in document.norms.enumerated() where norm.show {
            read(Array(norm.text.texts.values), "/norms/\(index)")
        }
        for rule in judge.rules { read([rule.instead], rule.pointer) }
        for (index, stage) in document.stages.enumerated() {
            let details = stage.details.texts.values.flatMap { $0 }
            read(
                Array(stage.name.texts.values) + Array(stage.description.texts.values) + details, "/stages/\(index)")
        }
        for (index, theme) in document.themes.enumerated() {
            let texts = theme.gates.flatMap { [$0.question] + $0.options.map(\.text) } + theme.evidence.map(\.name)
            read(texts.flatMap { Array($0.texts.values) }, "/themes/\(index)")
        }
        for (index, prompt) in document.prompts.enumerated() {
            read(Array(prompt.text.texts.values), "/prompts/\(index)")
        }
        return faults
    }
}
