// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Writes the pack for people.
enum PackMarkdown {
    /// The whole pack as Markdown.
    static func write() -> String {
        var text = "# \(PackCard.name)\n\n\(PackCard.summary)\n\n\(PackCard.id) \(PackCard.version)\n"
        text += "\n## 词汇\n\n| 词 | 类 | 释义 | 来源 |\n| --- | --- | --- | --- |\n"
        for term in Vocabulary.all {
            text += "| \(term.term) | \(term.category) | \(term.meaning) | \(term.source) |\n"
        }
        text += "\n## 规范\n\n"
        for norm in Norms.all {
            text += "- \(norm.show ? "宜" : "忌")（\(norm.kind)）\(norm.text)。\(norm.english) *\(norm.source)*\n"
        }
        text += "\n## 禁忌\n\n| 代码 | 级别 | 查找 | 原因 | 改写 |\n| --- | --- | --- | --- | --- |\n"
        for taboo in Taboos.all {
            text += "| \(taboo.code) | \(taboo.severity) | \(taboo.patterns.joined(separator: "、")) | "
            text += "\(taboo.reason) | \(taboo.instead) |\n"
        }
        text += "\n## 场景\n"
        for stage in Stages.all {
            text += "\n### \(stage.name) · \(stage.english)\n\n\(stage.description)\n\n"
            for detail in stage.details { text += "- \(detail)\n" }
            text += "\n\(stage.hours.joined(separator: ", ")) · \(stage.source)\n"
        }
        return text
    }
}

/// What the pack says of itself.
enum PackCard {
    static let id = "bianjing"
    /// Raised with every change of the content.
    static let version = "1.0.0"
    static let name = "北宋汴京"
    static let english = "Bianjing of the Northern Song"
    static let summary = "北宋徽宗年间的东京开封府：御街与汴河、正店与夜市、瓦子与寺院、四时节令，以及不该出现在那里的东西。"
    static let englishSummary =
        "Kaifeng under the Northern Song, about 1120: the Imperial Way and the Bian, taverns and night markets, theatres and temples, the feasts of the year, and what has no place there."
}
