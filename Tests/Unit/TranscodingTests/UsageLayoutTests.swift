// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import Transcoding

/// What answers say they used, read by field number alone.
@Suite struct UsageLayoutTests {
    private func layout(_ operation: String) throws -> UsageLayout {
        let catalog = try TestCatalog.load()
        let description = try #require(catalog.operation(operation))
        return try #require(UsageLayout(of: description, in: catalog))
    }

    private func read(_ layout: UsageLayout, _ message: [UInt8]) -> (counts: [String: Int64], id: String)? {
        message.withUnsafeBytes { layout.read($0) }
    }

    @Test func anAnswersUsageIsFoundBehindItsText() throws {
        let layout = try layout("theatre.content.v1.Chat/Complete")
        #expect(layout.parts == ["cached_input_tokens": "input_tokens", "reasoning_tokens": "output_tokens"])
        var response = ContentChatResponse()
        response.text = String(repeating: "汴", count: 500)
        #expect(read(layout, try response.serializedBytes()) == nil)
        response.usage.inputTokens = 12
        response.usage.cachedInputTokens = 5
        response.usage.estimated = true
        response.usage.priceHint.micros = 7
        let found = try #require(read(layout, try response.serializedBytes()))
        #expect(found.counts == ["input_tokens": 12, "cached_input_tokens": 5] && found.id.isEmpty)
    }

    @Test func onlyTheEndOfAStreamHasIt() throws {
        let layout = try layout("theatre.content.v1.Image/Generate")
        var part = ContentMediaPart()
        part.data = Data([1, 2, 3])
        #expect(read(layout, try part.serializedBytes()) == nil)
        part.end.usage.images = 2
        #expect(read(layout, try part.serializedBytes())?.counts == ["images": 2])
    }

    /// Asked about twice, work counts once: it is told apart by its id.
    @Test func workThatIsAskedAboutNamesItself() throws {
        let layout = try layout("theatre.content.v1.Video/Get")
        var job = ContentVideoJob()
        job.jobID = "vid_1"
        #expect(read(layout, try job.serializedBytes()) == nil)
        job.usage.videoMs = 4000
        let found = try #require(read(layout, try job.serializedBytes()))
        #expect(found.counts == ["video_ms": 4000] && found.id == "vid_1")
    }

    @Test func whatCannotBeReadSaysNothing() throws {
        let layout = try layout("theatre.content.v1.Chat/Complete")
        for bytes: [UInt8] in [[], [0x1A, 0x7F], [0x1A, 0x02, 0x08], [0xFF], [0x1A, 0x00, 0x0F]] {
            let found = read(layout, bytes)
            #expect(found == nil || found?.counts.isEmpty == true, "\(bytes)")
        }
    }

    @Test func operationsThatSayNothingHaveNone() throws {
        let catalog = try TestCatalog.load()
        let operation = try #require(catalog.operation("theatre.orders.v1.Orders/CreateOrder"))
        #expect(UsageLayout(of: operation, in: catalog) == nil)
    }
}
