// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Writes the pack for people.
struct PackMarkdown {
    let pack: PackDocument
    let language: String
    let phrases: PackPhrases

    /// The whole pack as Markdown.
    func write() -> String {
        var text = "# \(pack.name.text(language))\n\n\(pack.summary.text(language))\n\n\(pack.id) \(pack.version)\n"
        text += heading(0) + table(phrases.termColumns)
        for term in pack.vocabulary {
            text += row([term.term, term.category, term.meaning, term.source])
        }
        text += heading(1)
        for norm in pack.norms {
            let said = norm.text.texts.keys.sorted { ($0 != language ? 1 : 0, $0) < ($1 != language ? 1 : 0, $1) }
                .compactMap { norm.text.texts[$0] }
            text += "- \(norm.show ? phrases.show : phrases.avoid)(\(norm.kind)) "
            text += "\(said.joined(separator: " · ")) *\(norm.source)*\n"
        }
        text += heading(2) + table(phrases.tabooColumns)
        for taboo in pack.taboos {
            text += row([
                taboo.code, taboo.severity, taboo.patterns.joined(separator: ", "), taboo.reason.text(language),
                taboo.instead,
            ])
        }
        text += heading(3)
        for stage in pack.stages { text += self.text(of: stage) }
        text += heading(4)
        for theme in pack.themes { text += self.text(of: theme) }
        text += heading(5)
        for prompt in pack.prompts { text += "- \(prompt.id) (\(prompt.purpose)): \(prompt.text.text(language))\n" }
        return text
    }

    private func heading(_ index: Int) -> String { "\n## \(phrases.headings[index])\n\n" }

    private func table(_ columns: [String]) -> String { row(columns) + row(columns.map { _ in "---" }) }

    private func row(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |\n" }

    private func text(of stage: PackStage) -> String {
        let names = pack.languages.map { stage.name.text($0) }.joined(separator: " · ")
        let details = stage.details.texts(language).map { "- \($0)\n" }.joined()
        return "### \(names)\n\n\(stage.description.text(language))\n\n\(details)\n"
            + "\(stage.hours.joined(separator: ", ")) · \(stage.source)\n\n"
    }

    private func text(of theme: PackTheme) -> String {
        var text = "### \(theme.name.text(language))\n\n\(theme.summary.text(language))\n\n"
        for gate in theme.gates {
            text += "- \(gate.id) (\(gate.kind)): \(gate.question.text(language)) "
            text += gate.options.map { $0.text.text(language) }.joined(separator: " / ") + "\n"
        }
        for item in theme.evidence {
            text += "- \(item.id) (\(item.category), \(item.tier)): \(item.name.text(language)). "
            text += "\(item.verified.text(language))\n"
        }
        for variable in theme.variables {
            text += "- \(variable.id) \(variable.least)…\(variable.most): \(variable.name.text(language)). "
            text += "\(variable.meaning.text(language))\n"
        }
        return text + "\n"
    }
}
