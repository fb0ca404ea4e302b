// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Offline

/// What an outline says about a text.
struct OutlineTests {
    @Test func theChapterGivesItsPeopleAndPlaces() throws {
        let outline = Outliner.outline(try Samples.chapter())
        let people = outline.characters.map(\.name)
        for name in ["柳青娘", "丁香", "杜九", "许怀安", "沈砚", "韩待诏", "曹员外", "魏四"] { #expect(people.contains(name), "\(name)") }
        let places = outline.places.map(\.name)
        for name in ["州桥", "樊楼", "汴河"] { #expect(places.contains(name), "\(name)") }
        #expect(!people.contains("东水门"))
        #expect(outline.title == "灯下无影")
        #expect((5...14).contains(outline.beats.count))
        #expect(!outline.summary.isEmpty)
        #expect(outline.keywords.count >= 5)
    }

    @Test func theChapterIsOfTheLengthTheTourPromises() throws {
        let count = try Samples.chapter().unicodeScalars.count { !$0.properties.isWhitespace }
        #expect((7_500...8_500).contains(count))
    }

    @Test func aGivenNameIsJoinedWithTheFullName() {
        let text = String(
            repeating: "智深道：“洒家来了。”智深笑道：“好酒。”智深走到桥上，智深听了，智深便去。那鲁智深看见林冲。林冲道：“师兄。”智深又笑。\n\n", count: 3)
        let outline = Outliner.outline(text)
        #expect(outline.characters.map(\.name) == ["鲁智深", "林冲"])
        #expect(outline.characters.first?.count == 21)
    }

    @Test func englishNamesAndPlacesAreToldApart() {
        let outline = Outliner.outline(Samples.english)
        let people = outline.characters.map(\.name)
        #expect(people.contains("Agnes"))
        #expect(people.contains { $0.contains("Holt") })
        #expect(people.contains { $0.contains("Crane") })
        #expect(!people.contains("The"))
        let places = outline.places.map(\.name)
        #expect(places.contains("Marrow Bridge"))
        #expect(places.contains("Penny Street"))
        #expect(outline.title == "The Lamp at Marrow Bridge")
        #expect(outline.beats.count >= 5)
        #expect(outline.keywords.contains("letter"))
    }

    @Test func frontMatterIsNoPartOfTheChapter() {
        let outline = Outliner.outline("---\ntitle: \"第七回 试剑\"\nweight: 7\n---\n\n陈七走上桥来。天黑了。灯亮了。")
        #expect(outline.title == "第七回 试剑")
        #expect(outline.beats.allSatisfy { !$0.quote.contains("weight") })
        #expect(outline.beats.first?.range.lowerBound == 37)
    }

    @Test(arguments: ["", " \n\n ", "。。。", "#", "# ", "---", "\u{0}", "a", "道：“", "Mr."])
    func aTextWithLittleInItIsNoFault(text: String) {
        let outline = Outliner.outline(text)
        #expect(outline.beats.count <= 1)
    }

    @Test(arguments: 0..<60)
    func offsetsHoldForAnyText(seed: UInt64) {
        let text = Samples.random(seed: seed, length: Int(seed * seed % 3_000) + 1)
        check(Outliner.outline(text), of: text)
    }

    @Test func offsetsHoldForTheSamples() throws {
        let chapter = try Samples.chapter()
        check(Outliner.outline(chapter), of: chapter)
        check(Outliner.outline(Samples.english), of: Samples.english)
    }

    @Test func theSameTextGivesTheSameBytes() throws {
        let chapter = try Samples.chapter()
        let first = OutlineJSON.write(Outliner.outline(chapter))
        #expect(OutlineJSON.write(Outliner.outline(chapter)) == first)
        // The bytes of another process, whose dictionaries are in another order.
        #expect(StableHash.of(OutlineJSON.write(Outliner.outline(Samples.english)).utf8) == Golden.englishOutline)
    }

    private func check(_ outline: ChapterOutline, of text: String) {
        let scalars = text.scalarValues
        var end = 0
        #expect(outline.beats.count <= 14)
        for (index, beat) in outline.beats.enumerated() {
            #expect(beat.number == index + 1)
            #expect(beat.range.lowerBound >= end)
            #expect(beat.range.upperBound <= scalars.count)
            #expect(!beat.range.isEmpty)
            end = beat.range.upperBound
            let inside = String(scalarValues: scalars[beat.range])
            #expect(inside.unicodeScalars.elementsContain(beat.quote.unicodeScalars))
            #expect(!beat.quote.isEmpty)
            #expect(!beat.title.isEmpty)
        }
        for name in outline.characters + outline.places { #expect(name.count > 0) }
    }
}

extension String.UnicodeScalarView {
    /// Whether a run of scalars stands in it.
    func elementsContain(_ other: String.UnicodeScalarView) -> Bool {
        let (long, short) = (Array(self), Array(other))
        guard long.count >= short.count else { return false }
        return (0...long.count - short.count).contains { long[$0..<$0 + short.count].elementsEqual(short) }
    }
}
