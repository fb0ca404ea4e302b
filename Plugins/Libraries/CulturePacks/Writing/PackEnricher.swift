// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Adds to a prompt what the pack knows about its stage and its words.
struct PackEnricher: Sendable {
    let judge: PackJudge

    /// Most characters added where the caller names no number.
    static let defaultLimit = 1200

    /// The lines to add, each within what is left of the limit; the same prompt always gets the same.
    /// - Parameter stage: an id of the pack, or empty for what the words of the prompt say.
    func additions(to prompt: String, stage: String, limit: Int) -> [String] {
        let pack = judge.document
        let language = PackPhrases.language(of: prompt, among: pack.languages)
        guard let phrases = PackPhrases.byLanguage[language] else { return [] }
        let judgement = judge.judge(prompt, as: .prompt)
        var lines: [String] = []
        let chosen = stage.isEmpty ? Array(judgement.stages.prefix(2)) : [stage]
        let stages = chosen.compactMap { id in pack.stages.first { $0.id == id } }
        for stage in stages { lines += self.lines(for: stage, phrases, language) }
        let names = stages.map { $0.name.text(pack.languages[0]) }
        for norm in judge.norms(for: ([prompt] + names).joined(separator: "\n")).prefix(8) {
            lines.append((norm.show ? phrases.show : phrases.avoid) + norm.text.text(language))
        }
        for finding in judgement.findings {
            let instead = judge.rules[finding.rule].instead
            guard !lines.contains(where: { $0.hasSuffix(instead) }) else { continue }
            lines.append(phrases.instead.filled(["quote": finding.quote, "text": instead]))
        }
        return fit(lines, limit)
    }

    private func lines(for stage: PackStage, _ phrases: PackPhrases, _ language: String) -> [String] {
        [
            phrases.stage.filled([
                "name": stage.name.text(language), "own": stage.name.text(judge.document.languages[0]),
                "text": stage.description.text(language),
            ]),
            phrases.details + stage.details.texts(language).joined(separator: phrases.separator),
        ]
    }

    /// Keeps lines while they and their line breaks fit.
    private func fit(_ lines: [String], _ limit: Int) -> [String] {
        var left = limit
        return lines.filter { line in
            let count = line.unicodeScalars.count + 1
            guard count <= left else { return false }
            left -= count
            return true
        }
    }
}
