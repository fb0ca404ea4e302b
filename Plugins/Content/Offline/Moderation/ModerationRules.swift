// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What to look for in each category: words and phrases with how sure each makes a judge, in hundredths. Han phrases are
/// found anywhere; others as whole words, whatever their endings.
enum ModerationRules {
    /// A category of `theatre.content.v1.CategoryScore` and its phrases.
    struct Category {
        let name: String
        let phrases: [(text: String, weight: Int)]
    }

    /// From this score on a category is flagged.
    static let threshold = 0.5

    static let categories = [
        Category(
            name: "harassment",
            phrases: list(
                70, "去死吧 滚去死 你这个废物 你这个畜生 人肉搜索他 人肉搜索她", "kill yourself|you are worthless|nobody would miss you|go die")
                + list(30, "废物 贱人 白痴 蠢猪", "idiot|moron|loser|pathetic")),
        Category(
            name: "hate",
            phrases: list(
                80, "种族清洗 劣等民族 低等种族 消灭异教徒", "ethnic cleansing|racial purity|inferior race|subhuman|exterminate them all"
            )
                + list(40, "滚回你的国家 种族优越", "go back to your country|master race")),
        Category(
            name: "illicit",
            phrases: list(
                80, "制造炸弹 自制炸药 合成冰毒 伪造身份证 盗刷信用卡",
                "build a bomb|pipe bomb|cook meth|synthesize methamphetamine|forge a passport|steal credit cards")
                + list(40, "炸药配方 贩毒 洗钱", "explosive recipe|money laundering|drug dealing")),
        Category(
            name: "self_harm",
            phrases: list(
                80, "想自杀 割腕自杀 结束自己的生命 不想活了 自杀的方法", "kill myself|end my life|suicide method|want to die|cut myself")
                + list(45, "自杀 自残 自尽", "suicide|self harm|hang herself|hang himself")),
        Category(
            name: "sexual",
            phrases: list(80, "色情视频 性交 裸体做爱", "pornography|porn|explicit sex|sexual intercourse")
                + list(40, "做爱 裸体 情色", "nude|erotic|orgasm")),
        Category(
            name: "sexual_minors",
            phrases: list(
                98, "儿童色情 未成年性行为 幼女色情", "child pornography|child porn|sexualize a child|underage sex|sexual minor")),
        Category(
            name: "violence",
            phrases: list(70, "杀了你 砍死 打死你 血洗", "kill you|murder them|beat him to death|beat her to death|shoot up")
                + list(35, "杀人 刺死 杀死 砍头", "murder|stab|slaughter|behead")),
        Category(
            name: "violence_graphic",
            phrases: list(
                70, "肠子流出 开膛破肚 脑浆迸裂 血肉横飞 肢解", "disembowel|dismember|entrails spilled|gouge out|brains splattered")
                + list(30, "鲜血喷溅 血肉模糊", "gore|mutilate|blood sprayed")),
    ]

    private static func list(_ weight: Int, _ han: String, _ words: String) -> [(text: String, weight: Int)] {
        (han.split(separator: " ") + words.split(separator: "|")).map { (String($0), weight) }
    }
}
