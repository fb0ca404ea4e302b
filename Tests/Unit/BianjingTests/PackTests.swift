// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Bianjing

/// What the pack promises about itself.
struct PackTests {
    private let judge = PackJudge()

    @Test func thePackIsAsRichAsItSays() {
        #expect(Vocabulary.all.count >= 120)
        #expect(Norms.all.count >= 40)
        #expect(Taboos.all.count >= 60)
        #expect(Stages.all.count >= 24)
        #expect(Set(Vocabulary.all.map(\.category)) == ["food", "costume", "street", "trade", "festival", "title", "object"])
        #expect(Set(Norms.all.map(\.kind)) == ["visual", "signage", "costume", "prop", "naming"])
        #expect(Set(Norms.all.map(\.show)) == [true, false])
    }

    @Test func nothingStandsTwice() {
        #expect(Set(Vocabulary.all.map(\.term)).count == Vocabulary.all.count)
        #expect(Set(Taboos.all.map(\.code)).count == Taboos.all.count)
        #expect(Set(Stages.all.map(\.id)).count == Stages.all.count)
        let patterns = Taboos.all.flatMap(\.patterns)
        #expect(Set(patterns).count == patterns.count)
    }

    @Test func nothingIsLeftOut() {
        for term in Vocabulary.all { #expect(!term.meaning.isEmpty && term.source.hasPrefix("东京梦华录·"), "\(term.term)") }
        for norm in Norms.all { #expect(!norm.english.isEmpty && !norm.source.isEmpty && !norm.cues.isEmpty, "\(norm.text)") }
        for taboo in Taboos.all {
            #expect(!taboo.patterns.isEmpty && taboo.patterns.allSatisfy { !$0.isEmpty }, "\(taboo.code)")
            #expect(!taboo.reason.isEmpty && !taboo.instead.isEmpty && !taboo.english.isEmpty, "\(taboo.code)")
        }
        for stage in Stages.all {
            #expect(stage.details.count >= 3 && !stage.hours.isEmpty && !stage.source.isEmpty, "\(stage.id)")
            #expect(Set(stage.hours).isSubset(of: ["dawn", "day", "dusk", "night", "festival"]), "\(stage.id)")
        }
    }

    @Test func thePackBreaksNoneOfItsRules() {
        for term in Vocabulary.all { #expect(judge.judge(term.term + "\n" + term.meaning).findings.isEmpty, "\(term.term)") }
        for norm in Norms.all { #expect(judge.judge(norm.text + "\n" + norm.english).findings.isEmpty, "\(norm.text)") }
        for stage in Stages.all {
            let text = ([stage.name, stage.english, stage.description] + stage.details).joined(separator: "\n")
            #expect(judge.judge(text).findings.isEmpty, "\(stage.id)")
        }
        for taboo in Taboos.all { #expect(judge.judge(taboo.instead).findings.isEmpty, "\(taboo.code)") }
    }

    @Test func everyPatternIsFoundWhereItStandsAlone() {
        for taboo in Taboos.all {
            for pattern in taboo.patterns {
                let findings = judge.judge("，\(pattern)。").findings
                #expect(findings.first?.taboo.code == taboo.code, "\(pattern)")
                #expect(findings.first?.quote == pattern, "\(pattern)")
            }
        }
    }

    @Test func englishIsFoundAsWholeWordsInAnyCase() {
        #expect(judge.judge("He ate a Potato.").findings.map(\.quote) == ["Potato"])
        #expect(judge.judge("The potatoes' skins").findings.map(\.quote) == ["potatoes"])
        #expect(judge.judge("scorner, maizelike, unpotatoed").findings.isEmpty)
        #expect(judge.judge("他吃sweet potato吗").findings.map(\.taboo.code) == ["anachronism.sweet_potato"])
    }

    @Test func theLongestPatternWinsAndNoneOverlap() {
        #expect(judge.judge("三根大辫子").findings.map(\.quote) == ["大辫子"])
        #expect(judge.judge("落花生").findings.map(\.quote) == ["落花生"])
        #expect(judge.judge("窗上鑲著玻璃窗").findings.map(\.range) == [4..<7])
        #expect(judge.judge("紅薯與鐘錶").findings.count == 2)
    }

    @Test(arguments: ["火柴头在灶里", "点起香烟缭绕", "他和服侍的人", "可可的撞见", "白酒三杯"])
    func periodWordsAreLeftAlone(text: String) {
        #expect(judge.judge(text).findings.isEmpty)
    }

    @Test(arguments: 0..<80)
    func anyTextIsJudgedWithOffsetsThatHold(seed: UInt64) {
        var state = seed &+ 0x9E37_79B9_7F4A_7C15
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let pieces = Taboos.all.flatMap(\.patterns) + Vocabulary.all.map(\.term) + ["。", " ", "a", "\n", "\u{1F600}", "子", "老", "花", "\u{0}"]
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
