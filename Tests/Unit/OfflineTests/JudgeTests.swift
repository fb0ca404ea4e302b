// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Offline

/// Rerank and moderation.
struct JudgeTests {
    @Test func theRarerWordCountsMore() {
        let scores = BM25(["the lamp burns", "the boat passes", "the boat sinks", "the boat and the lamp"]).scores(
            "lamp boat")
        #expect(scores[3] > scores[0] && scores[0] > scores[1] && scores[1] > 0)
        #expect(scores.allSatisfy { (0...1).contains($0) })
    }

    @Test func pairsOfHanCharactersAreWords() {
        let scores = BM25(["樊楼今夜有影戏", "粮船过了东水门", "今夜无戏"]).scores("影戏在樊楼")
        #expect(scores[0] > 0.3 && scores[1] == 0 && scores[2] < scores[0])
        #expect(BM25(["a", "b"]).scores("。") == [0, 0])
    }

    @Test(arguments: [
        ("他说他不想活了，想自杀。", "self_harm"), ("I will kill   you.", "violence"), ("How do I build a bomb?", "illicit"),
        ("劣 等 民 族", "hate"), ("You are WORTHLESS; go die.", "harassment"), ("未成年性行为", "sexual_minors"),
        ("They dismembered the body.", "violence_graphic"), ("Pornography.", "sexual"),
    ])
    func eachCategoryIsFound(_ text: String, _ category: String) {
        let scores = Moderator().judge(text)
        #expect(scores.first { $0.category == category }?.isFlagged == true)
        #expect(scores.map(\.category) == scores.map(\.category).sorted())
    }

    @Test(arguments: ["林冲在草料场烧火，大雪下得正紧。", "The soldier killed time in Essex.", "", "skill yourself"])
    func plainTextIsNotFlagged(_ text: String) {
        #expect(!Moderator().judge(text).contains { $0.isFlagged })
    }

    @Test func eachPhraseIsFoundInItself() {
        let moderator = Moderator()
        for category in ModerationRules.categories {
            for phrase in category.phrases {
                let value = moderator.judge("x \(phrase.text).").first { $0.category == category.name }?.value ?? 0
                #expect(value >= Double(phrase.weight) / 100 - 1e-9, "\(phrase.text)")
            }
        }
    }

    @Test func aVectorHasTheLengthAskedFor() throws {
        for length in [16, 384, 1536] {
            let vector = try #require(HashingEmbedder.vector(of: "州桥夜市 lamps", dimensions: length))
            #expect(vector.count == length && abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-4)
        }
    }
}
