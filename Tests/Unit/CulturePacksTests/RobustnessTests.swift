// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin

@testable import CulturePacks

/// Texts that nobody would write.
struct RobustnessTests {
    private let pack: CulturePack

    init() throws { pack = try SmallPack.pack() }

    private func expectSound(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let scalars = Array(text.unicodeScalars)
        for kind in [CultureTextKind.unspecified, .prose, .prompt, .design, .UNRECOGNIZED(9)] {
            let response = try pack.validate(
                .with {
                    $0.text = text
                    $0.kind = kind
                })
            var end = 0
            for finding in response.findings {
                #expect(Int(finding.start) >= end && finding.start < finding.end, sourceLocation: sourceLocation)
                end = Int(finding.end)
                var quote = String.UnicodeScalarView()
                quote.append(contentsOf: scalars[Int(finding.start)..<end])
                #expect(String(quote).unicodeScalars.elementsEqual(finding.quote.unicodeScalars))
            }
        }
        let rich = try pack.enrich(.with { $0.prompt = text })
        #expect(rich.prompt.unicodeScalars.starts(with: scalars), sourceLocation: sourceLocation)
    }

    @Test(arguments: 0..<40) func anyScalarsAreJudged(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let ranges: [ClosedRange<UInt32>] = [
            0...0x7F, 0x80...0x24F, 0x300...0x36F, 0x370...0x52F, 0x590...0x6FF, 0x200B...0x206F, 0x4E00...0x4E20,
            0xFB50...0xFEFF, 0xFF00...0xFFEF, 0x1F600...0x1F64F, 0xE0100...0xE01EF, 0x10FFF0...0x10FFFF,
        ]
        var text = ""
        for _ in 0..<300 {
            let range = ranges.randomElement(using: &random) ?? 0...0
            if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) {
                text.unicodeScalars.append(scalar)
            }
            if UInt32.random(in: 0..<8, using: &random) == 0 {
                text.unicodeScalars.append(
                    contentsOf: SmallPack.patterns.randomElement(using: &random)?.unicodeScalars ?? "".unicodeScalars)
            }
        }
        try expectSound(text)
    }

    @Test(arguments: ["\u{64E}", "\u{200D}", "\u{202E}\u{202C}", "\u{640}", "ﻻ", "ö", "\u{301}", "ا", "茶"])
    func nothingButOneLetterIsJudged(letter: String) throws {
        try expectSound(letter)
        try expectSound(String(repeating: letter, count: 500))
        try expectSound("tea" + String(repeating: letter, count: 500) + "tea")
    }

    @Test(arguments: ["ا", "tea ", "e\u{301}", "茶", "\u{64E}"]) func theLongestTextIsJudgedAndOneLongerIsNot(
        letter: String
    ) throws {
        let size = letter.unicodeScalars.count
        var text = String(repeating: letter, count: CulturePack.longestText / size)
        let response = try pack.validate(.with { $0.text = text })
        #expect(response.findings.count == (["tea ", "茶"].contains(letter) ? CulturePack.longestText / size : 0))
        text += String(repeating: "x", count: size)
        let error = #expect(throws: PluginError.self) { try pack.validate(.with { $0.text = text }) }
        #expect(error?.reason == "culture.too_long")
        #expect(throws: PluginError.self) { try pack.enrich(.with { $0.prompt = text }) }
    }
}
