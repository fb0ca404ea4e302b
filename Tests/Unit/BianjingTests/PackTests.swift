// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Bianjing
@testable import CulturePacks

/// What the pack promises about itself.
struct PackTests {
    private let judge: PackJudge
    private let pack: CulturePack

    init() throws {
        pack = try Bianjing.loaded.get()
        judge = pack.judge
    }

    private func codes(_ text: String, as kind: TextKinds = .prose) -> [String] {
        judge.judge(text, as: kind).findings.map { judge.rules[$0.rule].code }
    }

    private func quotes(_ text: String) -> [String] { judge.judge(text).findings.map(\.quote) }

    @Test func thePackIsAsRichAsItSays() {
        let document = pack.document
        #expect(document.vocabulary.count == 178)
        #expect(document.norms.count == 48)
        #expect(document.taboos.count == 82)
        #expect(document.stages.count == 28)
        #expect(document.themes.count >= 3)
        #expect(
            Set(document.vocabulary.map(\.category)) == [
                "food", "costume", "street", "trade", "festival", "title", "object",
            ])
        #expect(Set(document.norms.map(\.kind)) == ["visual", "signage", "costume", "prop", "naming"])
        #expect(Set(document.norms.map(\.show)) == [true, false])
        #expect(document.vocabulary.allSatisfy { $0.source.hasPrefix("东京梦华录·") })
    }

    @Test func thePackHoldsTogetherAndBreaksNoneOfItsRules() {
        #expect(pack.document.faults() == [])
        #expect(pack.contradictions() == [])
        let patterns = pack.document.taboos.flatMap(\.patterns)
        #expect(Set(patterns).count == patterns.count)
    }

    @Test func everyPatternIsFoundWhereItStandsAlone() {
        for rule in judge.rules {
            let kind: TextKinds = rule.kinds.contains(.prose) ? .prose : .prompt
            for pattern in rule.patterns {
                let finding = judge.judge("，\(pattern)。", as: kind).findings.first
                #expect(finding.map { judge.rules[$0.rule].code } == rule.code, "\(pattern)")
                #expect(finding?.quote == pattern, "\(pattern)")
            }
        }
    }

    @Test func englishIsFoundAsWholeWordsInAnyCase() {
        #expect(quotes("He ate a Potato.") == ["Potato"])
        #expect(quotes("The potatoes' skins") == ["potatoes"])
        #expect(quotes("scorner, maizelike, unpotatoed").isEmpty)
        #expect(codes("他吃sweet potato吗") == ["anachronism.sweet_potato"])
    }

    @Test func theLongestPatternWinsAndNoneOverlap() {
        #expect(quotes("三根大辫子") == ["大辫子"])
        #expect(quotes("落花生") == ["落花生"])
        #expect(judge.judge("窗上鑲著玻璃窗").findings.map(\.range) == [4..<7])
        #expect(quotes("紅薯與鐘錶").count == 2)
    }

    @Test func traditionalLettersAreReadAsSimplifiedOnes() {
        #expect(judge.judge("州橋夜市與樊樓").stages == ["zhou_night_market", "fan_tower"])
        #expect(judge.judge("州橋").vocabulary == ["州桥": 1])
        // Neither form of the word is listed as it stands here.
        #expect(quotes("一口鐘表") == ["鐘表"])
    }

    @Test func normsAreJudgedInPromptsAndDesignsOnly() {
        let text = "街边立着聚光灯，招牌是英文招牌"
        #expect(codes(text).isEmpty)
        for kind in [TextKinds.prompt, .design] {
            #expect(codes(text, as: kind) == ["norm.visual.electric_light", "norm.signage.foreign_letters"])
        }
        #expect(codes("赛博朋克的汴京", as: .prompt) == ["visual.anime"])
        #expect(codes("赛博朋克的汴京").isEmpty)
    }

    @Test(arguments: ["火柴头在灶里", "点起香烟缭绕", "他和服侍的人", "可可的撞见", "白酒三杯"])
    func periodWordsAreLeftAlone(text: String) {
        #expect(quotes(text).isEmpty)
    }

    @Test(arguments: 0..<80)
    func anyTextIsJudgedWithOffsetsThatHold(seed: UInt64) {
        var state = seed &+ 0x9E37_79B9_7F4A_7C15
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let pieces =
            pack.document.taboos.flatMap(\.patterns) + pack.document.vocabulary.map(\.term) + [
                "。", " ", "a", "\n", "\u{1F600}", "子", "老", "花", "\u{0}",
            ]
        var text = ""
        for _ in 0..<200 {
            let piece = pieces[next(pieces.count)]
            text.unicodeScalars.append(contentsOf: piece.unicodeScalars.prefix(1 + next(4)))
        }
        let judgement = judge.judge(text)
        let scalars = text.scalarValues
        var end = 0
        for finding in judgement.findings {
            #expect(finding.range.lowerBound >= end)
            end = finding.range.upperBound
            #expect(String(scalarValues: scalars[finding.range]) == finding.quote)
        }
        #expect(judge.judge(text) == judgement)
    }
}
