// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension PackTheme {
    /// Whether the parts of a theme fit each other.
    func check(_ list: inout FaultList, _ place: String) {
        list.covers(name, "\(place)/name")
        list.covers(summary, "\(place)/summary")
        list.unique(gates.map(\.id), "\(place)/gates")
        list.unique(evidence.map(\.id), "\(place)/evidence")
        list.unique(variables.map(\.id), "\(place)/variables")
        for (index, variable) in variables.enumerated() {
            list.covers(variable.name, "\(place)/variables/\(index)/name")
            list.covers(variable.meaning, "\(place)/variables/\(index)/meaning")
            list.check(
                variable.least < variable.most && variable.step >= 1
                    && (variable.least...max(variable.least, variable.most)).contains(variable.start),
                "\(place)/variables/\(index)", "\(variable.id) starts outside its bounds, or does not move.")
        }
        for (index, item) in evidence.enumerated() {
            list.covers(item.name, "\(place)/evidence/\(index)/name")
            list.covers(item.verified, "\(place)/evidence/\(index)/verified")
            list.choice(
                item.category, ["document", "object", "witness", "trace"], "\(place)/evidence/\(index)/category")
            list.choice(item.tier, ["A", "B", "C", "D"], "\(place)/evidence/\(index)/tier")
            list.check(
                item.forgeability <= 100, "\(place)/evidence/\(index)/forgeability", "More than 100 is not possible.")
        }
        for (index, gate) in gates.enumerated() { check(gate, &list, "\(place)/gates/\(index)") }
    }

    private func check(_ gate: Gate, _ list: inout FaultList, _ place: String) {
        list.choice(gate.kind, ["public", "fate", "fate_major", "council"], "\(place)/kind")
        list.covers(gate.question, "\(place)/question")
        list.covers(gate.explanation, "\(place)/explanation")
        list.check(gate.options.count >= 2, "\(place)/options", "A question needs two answers.")
        list.unique(gate.options.map(\.id), "\(place)/options")
        for id in gate.evidence {
            list.check(evidence.contains { $0.id == id }, "\(place)/evidence", "The theme has no evidence \(id).")
        }
        for (index, option) in gate.options.enumerated() {
            list.covers(option.text, "\(place)/options/\(index)/text")
            for (id, change) in option.changes {
                let variable = variables.first { $0.id == id }
                list.check(
                    variable.map { $0.step != 0 && change.isMultiple(of: $0.step) } ?? false,
                    "\(place)/options/\(index)/changes/\(id)",
                    "A change is of a variable of the theme, by a multiple of its step.")
            }
        }
    }
}
