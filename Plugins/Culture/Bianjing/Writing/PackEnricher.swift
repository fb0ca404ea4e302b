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
        let judgement = judge.judge(prompt)
        let isChinese = prompt.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) }
        var lines: [String] = []
        let chosen = stage.isEmpty ? Array(judgement.stages.prefix(2)) : [stage]
        for id in chosen {
            guard let stage = Stages.all.first(where: { $0.id == id }) else { continue }
            lines += self.lines(for: stage, isChinese)
        }
        for norm in relevantNorms(prompt, stages: chosen) { lines.append(line(for: norm, isChinese)) }
        for finding in judgement.findings where !lines.contains(where: { $0.hasSuffix(finding.taboo.instead) }) {
            lines.append(
                (isChinese ? "不写“\(finding.quote)”，改写：" : "Instead of \"\(finding.quote)\": ") + finding.taboo.instead)
        }
        return fit(lines, limit)
    }

    private func lines(for stage: PackStage, _ isChinese: Bool) -> [String] {
        isChinese
            ? ["场景：\(stage.name)。\(stage.description)", "细节：" + stage.details.joined(separator: "；")]
            : [
                "Stage: \(stage.english) (\(stage.name)). \(stage.description)",
                "Details: " + stage.details.joined(separator: "; "),
            ]
    }

    private func line(for norm: PackNorm, _ isChinese: Bool) -> String {
        if isChinese { return (norm.show ? "宜：" : "忌：") + norm.text }
        return (norm.show ? "Show: " : "Avoid: ") + norm.english
    }

    /// Norms whose words stand in the prompt or in the name of a chosen stage, most words first.
    private func relevantNorms(_ prompt: String, stages: [String]) -> [PackNorm] {
        let names = Stages.all.filter { stages.contains($0.id) }.map(\.name)
        let text = ([prompt] + names).joined(separator: "\n").scalarValues
        var scored: [(index: Int, score: Int)] = []
        for (index, norm) in Norms.all.enumerated() {
            let score = norm.cues.reduce(0) {
                $0 + (Self.contains(text, $1.scalarValues) ? $1.unicodeScalars.count : 0)
            }
            if score > 0 { scored.append((index, score)) }
        }
        return scored.sorted { (-$0.score, $0.index) < (-$1.score, $1.index) }.prefix(8).map { Norms.all[$0.index] }
    }

    private static func contains(_ text: [UInt32], _ word: [UInt32]) -> Bool {
        guard !word.isEmpty, text.count >= word.count else { return false }
        return (0...text.count - word.count).contains {
            text[$0] == word[0] && text[$0..<$0 + word.count].elementsEqual(word)
        }
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
