// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What is said around a pack's own texts, in one language.
struct PackPhrases: Sendable {
    /// `{name}`, `{own}` (the name in the pack's own language) and `{text}`.
    var stage: String
    var details: String
    var separator: String
    var show: String
    var avoid: String
    /// `{quote}` and `{text}`.
    var instead: String
    /// Headings: words, norms, taboos, stages, themes, prompts.
    var headings: [String]
    /// Columns of the table of words, and of that of taboos.
    var termColumns: [String]
    var tabooColumns: [String]

    /// The languages a pack can describe itself in.
    static let byLanguage: [String: PackPhrases] = [
        "zh": PackPhrases(
            stage: "场景：{name}。{text}", details: "细节：", separator: "；", show: "宜：", avoid: "忌：",
            instead: "不写“{quote}”，改写：{text}", headings: ["词汇", "规范", "禁忌", "场景", "主题", "提示词"],
            termColumns: ["词", "类", "释义", "来源"], tabooColumns: ["代码", "级别", "查找", "原因", "改写"]),
        "en": PackPhrases(
            stage: "Stage: {name} ({own}). {text}", details: "Details: ", separator: "; ", show: "Show: ",
            avoid: "Avoid: ", instead: "Instead of \"{quote}\": {text}",
            headings: ["Words", "Norms", "Taboos", "Stages", "Themes", "Prompts"],
            termColumns: ["Word", "Kind", "Meaning", "Source"],
            tabooColumns: ["Code", "Severity", "Looks for", "Reason", "Instead"]),
        "ar": PackPhrases(
            stage: "المكان: {name}. {text}", details: "التفاصيل: ", separator: "؛ ", show: "يُستحسن: ",
            avoid: "يُتجنَّب: ", instead: "بدلًا من «{quote}»: {text}",
            headings: ["الألفاظ", "الآداب", "المحظورات", "الأماكن", "الموضوعات", "الصيغ"],
            termColumns: ["اللفظ", "الباب", "المعنى", "المصدر"],
            tabooColumns: ["الرمز", "الدرجة", "ما يُبحث عنه", "السبب", "البديل"]),
    ]

    /// Which of a pack's languages a text is in, by its letters; English or the pack's own where they say nothing.
    static func language(of text: String, among languages: [String]) -> String {
        for scalar in text.unicodeScalars {
            let language: String
            switch scalar.value {
            case 0x4E00...0x9FFF: language = "zh"
            case 0x600...0x6FF, 0x750...0x77F, 0xFE70...0xFEFC: language = "ar"
            default: continue
            }
            if languages.contains(language) { return language }
        }
        return languages.contains("en") ? "en" : languages.first ?? "en"
    }
}

extension String {
    /// The text with `{key}` replaced, in one pass: what is put in is not looked at again.
    func filled(_ values: [String: String]) -> String {
        var result = ""
        var rest = self[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            result += rest[..<open]
            let key = String(rest[rest.index(after: open)..<close])
            result += values[key] ?? String(rest[open...close])
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }
}
