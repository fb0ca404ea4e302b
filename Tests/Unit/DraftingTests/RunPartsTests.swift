// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin

@testable import Drafting

/// The pure parts of a run.
struct RunPartsTests {
    private func beat(_ start: UInt32, _ end: UInt32, _ quote: String = "") -> ContentBeat {
        .with {
            $0.start = start
            $0.end = end
            $0.quote = quote
        }
    }

    @Test func spansThatHoldTheirQuotesAreTaken() {
        let text = Array("甲乙丙丁戊己庚辛".unicodeScalars)
        let spans = BeatSpans([beat(0, 4, "丙"), beat(4, 8, "庚")], in: text)
        #expect(spans.spans == [0..<4, 4..<8])
        #expect((0..<8).map { spans.beat(at: $0) } == [0, 0, 0, 0, 1, 1, 1, 1])
    }

    @Test func spansThatDoNotAreFoundByTheirQuotes() {
        let text = Array("甲乙丙丁戊己庚辛".unicodeScalars)
        let spans = BeatSpans([beat(0, 0, "甲乙"), beat(900, 1000, "丁戊"), beat(0, 2, "庚")], in: text)
        #expect(spans.spans == [0..<3, 3..<6, 6..<8])
        #expect(spans.beat(at: 7) == 2)
    }

    @Test func aPlaceBetweenBeatsBelongsToTheOneBefore() {
        let text = Array(String(repeating: "字", count: 30).unicodeScalars)
        let spans = BeatSpans([beat(5, 10), beat(20, 25)], in: text)
        #expect([0, 5, 12, 22, 29].map { spans.beat(at: $0) } == [0, 0, 0, 1, 1])
        #expect(BeatSpans([], in: text).beat(at: 3) == nil)
    }

    @Test(arguments: 0..<200)
    func spansStayWithinTheText(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in
            Unicode.Scalar(UInt8.random(in: 97...99, using: &random))
        }
        let beats = (0..<Int.random(in: 0...6, using: &random)).map { _ in
            beat(
                UInt32.random(in: 0...50, using: &random), UInt32.random(in: 0...50, using: &random),
                ["", "a", "ab", "ccc", "z"].randomElement(using: &random) ?? "")
        }
        let spans = BeatSpans(beats, in: text)
        #expect(spans.spans.count == beats.count)
        #expect(spans.spans.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= text.count })
    }

    @Test func nearestScenesComeNearestFirst() {
        let vectors: [[Float]] = [[1, 0], [0.6, 0.8], [0.9, 0.1], [-1, 0], [0, 1]]
        #expect(Similarity.nearest(to: 0, in: vectors) == [3, 2])
        #expect(Similarity.nearest(to: 1, in: vectors, count: 1) == [5])
        #expect(Similarity.nearest(to: 9, in: vectors).isEmpty)
        #expect(Similarity.cosine([1], [1, 2]) == 0 && Similarity.cosine([0], [0]) == 0)
    }

    @Test(arguments: [(1, 3), (1000, 3), (1001, 6), (100_000, 300), (0, 1)] as [(Int64, Int64)])
    func thousandsBegunArePaid(_ length: Int64, _ cost: Int64) throws {
        let configuration = try JSONText.read(
            DraftingConfiguration.self, #"{"price_per_thousand":3,"max_attempts":5,"max_beats":40}"#)
        #expect(configuration.cost(ofLength: length) == cost)
    }

    @Test func outlinesAreReadThroughWhatModelsPutAroundThem() throws {
        let text = "Here it is:\n```json\n{\"title\": \"T\", \"mood\": 1, \"beats\": [{\"number\": 1}]}\n```"
        let outline = try RunSteps.read(text)
        #expect(outline.title == "T" && outline.beats.count == 1)
        for bad in ["", "no", "}{", "{\"beats\": 3}", "{"] {
            #expect(throws: PluginError.self) { try RunSteps.read(bad) }
        }
    }

    @Test func titlesGoToOthersAsOneShortLine() throws {
        var run = StoredRun(
            id: "run_1", projectID: "prj_1", chapterID: "chp_1", owner: "usr_1", cost: 3, holdKey: "run:run_1",
            title: "灯下\n无影", language: "zh", createdAt: 1)
        #expect(run.shortTitle == "灯下 无影")
        run.title = String(repeating: "字", count: 200)
        #expect(run.shortTitle.count == 80 && run.shortTitle.hasSuffix("字…"))
        #expect(try RunMessage.request(run).title.unicodeScalars.count <= 120)
    }

    @Test func idsOfRunsAreWrittenAsULIDs() {
        #expect(RunID.base32(Array(repeating: 0, count: 16)) == String(repeating: "0", count: 26))
        #expect(RunID.base32(Array(repeating: 255, count: 16)) == "7" + String(repeating: "Z", count: 25))
        #expect(RunID.base32(Array(repeating: 0, count: 15) + [33]).hasSuffix("011"))
    }
}
