// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatrePlugin

@testable import CulturePacks

/// What a document must be to serve.
struct DocumentTests {
    @Test func theSmallPackIsSound() throws {
        let pack = try SmallPack.pack()
        #expect(pack.document.faults() == [])
        #expect(pack.contradictions() == [])
        try pack.selfTest()
    }

    @Test(arguments: [
        ("\"pack\": 1", "\"pack\": 2", "/pack"), ("[\"en\"]", "[\"xx\"]", "/languages"),
        ("\"壺壶\"", "\"壺\"", "/variants/0"),
        ("\"category\": \"object\", \"source\"", "\"category\": \"pet\", \"source\"", "/vocabulary/0/category"),
        ("\"severity\": \"warning\"", "\"severity\": \"dire\"", "/taboos/1/severity"),
        ("\"قهوة\", \"هاتف\"", "\"قهوة\", \"TEA\"", "/taboos/1/patterns"),
        ("\"هاتف\"", "\"\u{64E}\"", "/taboos/1/patterns"),
        ("\"a.drinks\"", "\"a.tea\"", "/taboos"), ("[\"design\"]", "[\"opera\"]", "/taboos/2/kinds"),
        ("[\"day\"]", "[\"noon\"]", "/stages/0/hours"), ("[\"day\"]", "[]", "/stages/0/hours"),
        ("\"show\": false", "\"show\": true", "/norms/1/judged"),
        ("\"A pack of tests.\"", "{\"fr\": \"x\"}", "/summary"),
        ("\"water\": -2", "\"water\": -3", "/themes/0/gates/0/options/0/changes/water"),
        ("\"water\": -2", "\"wine\": -2", "/themes/0/gates/0/options/0/changes/wine"),
        ("\"start\": 4", "\"start\": 40", "/themes/0/variables/0"),
        ("[\"cup\"]", "[\"cap\"]", "/themes/0/gates/0/evidence"),
        ("\"tier\": \"C\"", "\"tier\": \"E\"", "/themes/0/evidence/0/tier"),
        ("\"kind\": \"public\"", "\"kind\": \"secret\"", "/themes/0/gates/0/kind"),
        ("\"purpose\": \"scene\"", "\"purpose\": \"smell\"", "/prompts/0/purpose"),
    ]) func eachFaultIsFound(old: String, new: String, pointer: String) throws {
        let text = SmallPack.document.replacing(old, with: new)
        #expect(text != SmallPack.document)
        let pack = try CulturePack(json: Data(text.utf8))
        #expect(pack.document.faults().map(\.pointer).contains(pointer))
        let error = #expect(throws: PluginError.self) { try pack.selfTest() }
        #expect(error?.reason == "culture.broken_document")
    }

    @Test func whatIsNoDocumentIsRefused() {
        for text in ["", "[]", "{}", SmallPack.document.replacing("\"taboos\"", with: "\"tabus\"")] {
            let error = #expect(throws: PluginError.self) { try CulturePack(json: Data(text.utf8)) }
            #expect(error?.reason == "culture.broken_document")
        }
    }

    @Test func aRuleThatForbidsWhatIsToBeShownIsAContradiction() throws {
        let text = SmallPack.document.replacing("\"Show wells.\"", with: "\"Show a teapot by the well.\"")
        #expect(try CulturePack(json: Data(text.utf8)).contradictions().map(\.pointer) == ["/norms/0"])
    }
}
