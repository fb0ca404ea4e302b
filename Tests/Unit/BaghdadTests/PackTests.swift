// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts

@testable import Baghdad
@testable import CulturePacks

/// What the pack promises about itself.
struct PackTests {
    private let pack: CulturePack

    init() throws { pack = try Baghdad.loaded.get() }

    private func quotes(_ text: String, as kind: TextKinds = .prose) -> [String] {
        pack.judge.judge(text, as: kind).findings.map(\.quote)
    }

    @Test func thePackIsAsRichAsItSays() {
        let document = pack.document
        #expect(document.vocabulary.count == 149)
        #expect(document.norms.count == 47)
        #expect(document.taboos.count == 67)
        #expect(document.stages.count == 22)
        #expect(document.themes.map(\.id) == ["bread_riot", "lost_book", "envoys"])
        #expect(
            Set(document.vocabulary.map(\.category)) == [
                "food", "costume", "street", "trade", "festival", "title", "object",
            ])
        #expect(Set(document.norms.map(\.kind)) == ["visual", "signage", "costume", "prop", "naming"])
        #expect(document.norms.filter { $0.judged != nil }.count == 11)
    }

    @Test func thePackHoldsTogetherAndBreaksNoneOfItsRules() {
        #expect(pack.document.faults() == [])
        #expect(pack.contradictions() == [])
    }

    /// Words of today that meant something else then.
    @Test(arguments: [
        "شرب قهوة معتقة مع الندماء", "مر قطار من الجمال", "سمع هاتفا في الليل", "خرزة من كهرباء صفراء", "ساعة من الليل",
        "فلفل وزنجبيل",
        "سيارة من العرب", "جريدة من النخل",
    ]) func periodWordsAreLeftAlone(text: String) { #expect(quotes(text).isEmpty) }

    @Test(arguments: [
        ("جلس في المقهى يشرب فنجان قهوة", ["مقهى", "فنجان قهوة"]), ("أكل البطاطسَ والطَّمَاطِم", ["بطاطسَ", "طَّمَاطِم"]),
        ("بالبـــارود", ["بـــارود"]), ("للمدفع", ["مدفع"]),

        ("His Majesty the Sultan drank Coffee", ["His Majesty the Sultan", "Coffee"]),
        ("a fez", []), ("tealeaf, steam", []),
    ]) func whatDoesNotBelongIsFoundInBothScripts(text: String, expected: [String]) {
        #expect(quotes(text) == expected)
    }

    @Test func normsAreJudgedInPromptsAndDesigns() {
        #expect(quotes("a dancer in a fez before sand dunes", as: .design) == ["fez", "sand dunes"])
        #expect(quotes("رجل على رأسه طربوش", as: .prompt) == ["طربوش"])
    }

    @Test func findingsSpeakTheLanguageOfTheText() throws {
        let arabic = try pack.validate(.with { $0.text = "عنده بطاطس في الكرخ" })
        #expect(arabic.findings.map(\.reason) == ["البطاطس من أمريكا بعد ستة قرون"])
        #expect(arabic.stages == ["karkh_market"])
        #expect(arabic.vocabulary == ["الكرخ": 1])
        let english = try pack.validate(.with { $0.text = "potatoes in Karkh, a bowl of sikbāj" })
        #expect(english.findings.map(\.reason) == ["Potatoes came from America six centuries later"])
        #expect(english.vocabulary == ["الكرخ": 1, "سكباج": 1])
    }

    @Test func promptsAreEnrichedInTheirLanguage() throws {
        let arabic = try pack.enrich(.with { $0.prompt = "وراق في سوق الوراقين ليلًا" })
        #expect(arabic.added.first?.hasPrefix("المكان: سوق الوراقين.") == true)
        #expect(arabic.added.contains { $0.hasPrefix("يُستحسن: ضوء الليل") })
        let english = try pack.enrich(
            .with { $0.prompt = "A copyist drinks coffee in the booksellers street at night" })
        let stage = "Stage: The booksellers' street (سوق الوراقين)."
        #expect(english.added.first?.hasPrefix(stage) == true)
        #expect(english.added.contains { $0.hasPrefix("Instead of \"coffee\": ") })
    }
}
