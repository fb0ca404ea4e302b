// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Offline

/// Images and videos.
struct PictureTests {
    @Test func sumsAreThoseOfTheStandards() {
        // The check values that both standards name.
        #expect(Checksums.crc32("123456789".utf8) == 0xCBF4_3926)
        #expect(Checksums.adler32(Array("Wikipedia".utf8)) == 0x11E6_0398)
        #expect(Checksums.adler32([UInt8](repeating: 255, count: 200_000)) == slowAdler(200_000))
    }

    private func slowAdler(_ count: Int) -> UInt32 {
        var (low, high) = (UInt64(1), UInt64(0))
        for _ in 0..<count { (low, high) = ((low + 255) % 65_521, (high + low + 255) % 65_521) }
        return UInt32(high << 16 | low)
    }

    @Test func aPictureIsAPNGOfItsSizeAndTheSameEachTime() async throws {
        let world = try await OfflineWorld()
        let request = ContentImageRequest.with { ($0.prompt, $0.width, $0.height) = ("樊楼上的灯", 300, 230) }
        let (file, head) = try await bytes(try await world.image.generate(request))
        #expect(head.width == 300 && head.height == 230 && head.size == Int64(file.count))
        #expect(Array(file[16..<24]) == [0, 0, 1, 44, 0, 0, 0, 230])
        let again = try await bytes(try await world.image.generate(request)).bytes
        #expect(again == file)
        var other = request
        other.seed = 7
        let another = try await bytes(try await world.image.generate(other)).bytes
        #expect(another != file)
        // Rows of 301 bytes: more than one stored block.
        let data = try #require(Self.chunk("IDAT", file))
        let rows = try #require(Self.inflated(data))
        #expect(rows.count == 301 * 230 && Set(rows).count > 30)
        #expect(StableHash.of(file) == Golden.picture)
    }

    /// The data of a chunk whose sum is right.
    private static func chunk(_ name: String, _ file: [UInt8]) -> [UInt8]? {
        var at = 8
        while at + 12 <= file.count {
            let size = file[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
            let body = file[at + 4..<at + 8 + size]
            let sum = file[(at + 8 + size)..<(at + 12 + size)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            guard Checksums.crc32(body) == sum else { return nil }
            if body.starts(with: name.utf8) { return Array(body.dropFirst(4)) }
            at += 12 + size
        }
        return nil
    }

    /// What a stream of stored blocks holds, if its sum is right.
    private static func inflated(_ stream: [UInt8]) -> [UInt8]? {
        var (at, result) = (2, [UInt8]())
        while true {
            guard let size = stream.little(at: at + 1, 2), let inverse = stream.little(at: at + 3, 2),
                size ^ inverse == 0xFFFF
            else { return nil }
            result += stream[at + 5..<at + 5 + size]
            let isLast = stream[at] == 1
            at += 5 + size
            if isLast { break }
        }
        let sum = stream[at..<at + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return sum == Checksums.adler32(result) && at + 4 == stream.count ? result : nil
    }

    @Test func severalPicturesDifferAndAreCounted() async throws {
        let world = try await OfflineWorld()
        var heads: [ContentMediaHead] = []
        var images: Int64 = 0
        let request = ContentImageRequest.with {
            ($0.prompt, $0.width, $0.height, $0.count, $0.seed) = ("bridge", 16, 16, 3, 5)
        }
        for try await part in try await world.image.generate(request) {
            if case .head(let head) = part.part { heads.append(head) }
            if case .end(let end) = part.part { images = end.usage.images }
        }
        #expect(heads.map(\.seed) == [5, 6, 7] && images == 3)
    }

    @Test(arguments: ["negative", "references", "type", "count", "size", "large"])
    func whatItCannotDrawIsRefused(_ what: String) async throws {
        let world = try await OfflineWorld()
        var request = ContentImageRequest.with { $0.prompt = "bridge" }
        switch what {
        case "negative": request.negativePrompt = "rain"
        case "references": request.references = [.with { $0.contentType = "image/png" }]
        case "type": request.contentType = "image/webp"
        case "count": request.count = 5
        case "size": request.width = 8
        default: (request.width, request.height) = (4_000_000_000, 4_000_000_000)
        }
        let asked = request
        let error = await #expect(throws: PluginError.self) { try await bytes(try await world.image.generate(asked)) }
        #expect(error?.reason == "content.unsupported" && error?.code == .invalidArgument)
    }

    @Test func aVideoIsMadeByTheClock() async throws {
        let world = try await OfflineWorld()
        let job = try await world.video.start(
            .with { ($0.requestID, $0.prompt, $0.durationMs, $0.width, $0.height) = ("r", "boat", 1000, 30, 20) })
        let id = ContentVideoJobRequest.with { $0.jobID = job.jobID }
        #expect(job.state == .queued && job.progress.percent == 0 && !job.hasUsage)
        world.host.advance(milliseconds: 1000)
        let running = try await world.video.get(id)
        #expect(running.state == .running && running.progress.percent == 50 && running.progress.step == "drawing")
        world.host.advance(milliseconds: 500)
        let ready = try await world.video.get(id)
        #expect(ready.state == .ready && ready.usage.videoMs == 1000 && ready.progress.percent == 100)
        #expect(try await world.video.cancel(id).state == .ready)
        let (file, head) = try await bytes(try await world.video.fetch(id))
        #expect(head.size == Int64(file.count) && head.durationMs == 1000 && head.contentType == "video/x-msvideo")
        #expect(file.little(at: 4, 4) == file.count - 8 && file[8..<12].elementsEqual("AVI ".utf8))
        // Eight frames of rows of 32 bytes, each where the index says.
        let index = file.count - 8 * 16
        let movi = index - 8 - 8 * (8 + 640) - 4
        #expect(file[movi..<movi + 4].elementsEqual("movi".utf8))
        for frame in 0..<8 {
            let at = try #require(file.little(at: index + frame * 16 + 8, 4)) + movi
            #expect(file[at..<at + 4].elementsEqual("00db".utf8) && file.little(at: at + 4, 4) == 640)
        }
        let again = try await bytes(try await world.video.fetch(id)).bytes
        #expect(again == file)
        world.host.advance(milliseconds: 86_400_000)
        await #expect(throws: PluginError.self) { try await world.video.get(id) }
    }

    @Test func aCancelledVideoStaysSo() async throws {
        let world = try await OfflineWorld()
        let job = try await world.video.start(
            .with { ($0.requestID, $0.prompt, $0.durationMs) = ("r", "boat", 1000) })
        let id = ContentVideoJobRequest.with { $0.jobID = job.jobID }
        world.host.advance(milliseconds: 800)
        #expect(try await world.video.cancel(id).state == .cancelled)
        world.host.advance(milliseconds: 5000)
        let after = try await world.video.get(id)
        #expect(after.state == .cancelled && after.progress.percent == 30 && !after.hasUsage)
        let error = await #expect(throws: PluginError.self) { try await bytes(try await world.video.fetch(id)) }
        #expect(error?.reason == "content.not_ready")
    }

    @Test func anIdIsReadAsItWasWrittenAndNoOther() {
        let id = VideoJobID(createdAt: 1_700_000_000_123, seed: .max - 5, milliseconds: 9999, width: 640, height: 360)
        #expect(VideoJobID(id.text) == id && id.text.count <= 200)
        for index in id.text.indices {
            var text = id.text
            text.replaceSubrange(index...index, with: id.text[index] == "f" ? "e" : "f")
            #expect(VideoJobID(text) == nil)
        }
        for text in ["", "vid_", id.text + "0", String(repeating: "é", count: 30)] { #expect(VideoJobID(text) == nil) }
    }
}
