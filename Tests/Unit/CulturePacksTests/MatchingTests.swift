// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Testing

@testable import CulturePacks

/// Where patterns are found, in scalars of the text as written.
struct MatchingTests {
    private let judge: PackJudge

    init() throws { judge = try SmallPack.pack().judge }

    private func quotes(_ text: String) -> [String] { judge.judge(text).findings.map(\.quote) }

    @Test(arguments: [
        ("a cup of TEA.", ["TEA"]), ("steam, teas, retea", []), ("green tea and tea", ["green tea", "tea"]),
        ("ｔｅａ", ["ｔｅａ"]), ("te\u{301}a", ["te\u{301}a"]), ("t\u{AD}ea", ["t\u{AD}ea"]), ("t\u{200B}ea", []),
        ("抹茶与茶壺", ["抹茶", "茶壺"]), ("喝tea吗", ["tea"]), ("茶茶", ["茶", "茶"]), ("Ö, o\u{308}, о", ["Ö", "o\u{308}"]),
        ("КОТ, котик", ["КОТ"]),
    ]) func whatStandsAloneIsFound(text: String, expected: [String]) { #expect(quotes(text) == expected) }

    @Test(arguments: [
        ("شاي", ["شاي"]), ("والشاي", ["شاي"]), ("بالشاي وللشاي", ["شاي", "شاي"]), ("فكشاي", ["شاي"]),
        ("كشايه", []), ("مشاي", []), ("والوالشاي", []),
        // Vowel signs, tatweel, joiners and direction marks belong to the word they stand in.
        ("شَايٌ", ["شَايٌ"]), ("شـــاي", ["شـــاي"]), ("ش\u{200D}اي\u{200F} ", ["ش\u{200D}اي"]),
        // Forms of letters: another yeh, final forms, and hamza or not.
        ("شاى", ["شاى"]), ("شای", ["شای"]), ("ﺷﺎﻱ", ["ﺷﺎﻱ"]), ("شاي اخضر", ["شاي اخضر"]), ("قهوه", ["قهوه"]),
        // The accusative.
        ("هاتفًا", ["هاتفًا"]), ("هاتفا", ["هاتفا"]), ("هاتفان", []),
    ]) func arabicIsFoundUnderItsMarksAndParticles(text: String, expected: [String]) {
        #expect(quotes(text) == expected)
    }

    @Test func aSignOfTwoLettersIsFoundWholeOrNotAtAll() throws {
        let folding = ScalarFolding([])
        // Lam with alif in one sign: neither word ends or begins within it.
        let trie = PatternTrie(["ال", "سلام", "قل"].map { folding.fold($0).keys })
        #expect(trie.matches(in: folding.fold("سﻼم")).map(\.range) == [0..<3])
        #expect(trie.matches(in: folding.fold("قﻻ")).isEmpty)
    }

    @Test func kindsOfTextHaveTheirRules() {
        func codes(_ kind: TextKinds) -> [String] {
            judge.judge("a cloud, a glow, tea", as: kind).findings.map { judge.rules[$0.rule].code }
        }
        #expect(codes(.prose) == ["a.tea"])
        #expect(codes(.prompt) == ["norm.clouds", "a.tea"])
        #expect(codes(.design) == ["norm.clouds", "a.design", "a.tea"])
    }

    @Test(arguments: 0..<150)
    func anyTextIsMatchedAsTheNaiveMatcherDoes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let naive = NaiveMatcher(SmallPack.patterns, judge.folding)
        let noise = [
            " ", "، ", "。", "a", "s", "ال", "و", "ب", "ل", "ا", "ن", "\u{64E}", "\u{640}", "\u{200D}", "\u{200F}", "ﻻ",
            "ﻼ",
            "𠮷", "🫖", "\u{301}", "\u{0}", "\u{FE0F}", "\u{202E}", "1", "壺", "\n", "é",
        ]
        var text = ""
        for _ in 0..<60 {
            let piece = (Bool.random(using: &random) ? SmallPack.patterns : noise).randomElement(using: &random) ?? ""
            // Whole, or only its beginning.
            let most = Int.random(in: 0..<4, using: &random) == 0 ? 1 : piece.unicodeScalars.count
            text.unicodeScalars.append(contentsOf: piece.unicodeScalars.prefix(most))
        }
        let findings = judge.judge(text).findings
        #expect(findings.map(\.range) == naive.ranges(text))
        let scalars = text.scalarValues
        for finding in findings { #expect(String(scalarValues: scalars[finding.range]) == finding.quote) }
        #expect(zip(findings, findings.dropFirst()).allSatisfy { $0.range.upperBound <= $1.range.lowerBound })
    }
}
