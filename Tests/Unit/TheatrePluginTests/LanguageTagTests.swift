// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatrePlugin

struct LanguageTagTests {
    @Test(arguments: ["en", "zh-Hant", "de-CH-1996", "x1-a"]) func aTagIsOne(_ text: String) {
        #expect(LanguageTag.isWellFormed(text))
    }

    @Test(arguments: [
        "", "e", "en-", "-en", "en_GB", "en GB", "zh-漢", "abcdefghi", String(repeating: "en-", count: 12) + "x",
    ])
    func whatIsNoTagIsNone(_ text: String) {
        #expect(!LanguageTag.isWellFormed(text))
    }
}
