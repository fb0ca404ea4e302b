// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Testing

@testable import Knowledge

/// Words that full text finds a text by.
struct SegmentationTests {
    @Test(arguments: [
        ("汴河上", ["汴河", "河上", "上"]), ("桥", ["桥"]), ("Ｈello, CAFÉ1 naïve Łódź", ["hello", "cafe1", "naive", "lodz"]),
        ("e\u{301}tude Straße", ["etude", "strasse"]), ("在1120年", ["在", "1120", "年"]),
        ("虹桥。夜市", ["虹桥", "桥", "夜市", "市"]),
        ("カフェ", ["カフ", "フェ", "ェ"]), ("don't", ["don", "t"]), ("—!?", []), ("Привет МИР", ["привет", "мир"]),
    ]) func textsAreCutIntoPairsAndWords(_ text: String, _ tokens: [String]) {
        #expect(Segmentation.tokens(of: text.unicodeScalars) == tokens)
    }

    @Test func aQuestionAsksForPairsAndOneCharacterAsABeginning() {
        #expect(Segmentation.query("汴河 汴河 Tea") == [.init(text: "汴河"), .init(text: "tea")])
        #expect(Segmentation.query("桥") == [.init(text: "桥", isPrefix: true)])
        #expect(Segmentation.query(String(repeating: "一二三四五六七", count: 40)).count == 7)
    }

    /// What a text has, a question for any part of it finds; and no token could be read as an engine's language.
    @Test(arguments: 1...30) func anyPartOfATextIsFound(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let alphabet = Array("汴河桥上夜市Teaé1 。'\":*()|&-\\第カ".unicodeScalars)
        let scalars = (0..<60).map { _ in alphabet.randomElement(using: &random) ?? " " }
        let tokens = Segmentation.tokens(of: scalars)
        #expect(tokens.allSatisfy { !$0.isEmpty && $0.unicodeScalars.allSatisfy { WrittenKind($0) != .other } })
        let places = scalars.indices.filter { WrittenKind(scalars[$0]) == .ideographic }
        for place in places {
            let single = Segmentation.query(String(Character(scalars[place])))
            #expect(single.count == 1 && tokens.contains { $0.hasPrefix(single[0].text) })
            guard places.contains(place + 1) else { continue }
            let pair = String(String.UnicodeScalarView(scalars[place...(place + 1)]))
            #expect(Segmentation.query(pair) == [.init(text: pair)] && tokens.contains(pair))
        }
    }

    @Test func enginesGetOnlyTheirOwnSigns() {
        let tokens = Segmentation.query("桥 \"tea\" OR near(x)")
        #expect(
            FullText.match(tokens, "kbv_01AB")
                == "version : \"kbv01ab\" AND body : (\"桥\" * OR \"tea\" OR \"or\" OR \"near\" OR \"x\")")
        #expect(FullText.query(tokens) == "'桥':* | 'tea' | 'or' | 'near' | 'x'")
        #expect(FullText.vector(["b", "a", "b"]) == "'a':2 'b':1,3")
    }
}
