// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreManifest
import TheatrePlugin
import TheatrePluginTesting

@testable import OpenAI

/// Images, sound, video, judges: what is sent, and what is made of the answer.
struct MediaTests {
    private func pieces(_ stream: MessageStream<ContentMediaPart>) async throws -> ([ContentMediaHead], ContentMediaEnd)
    {
        var (heads, end) = ([ContentMediaHead](), ContentMediaEnd())
        for try await part in stream {
            if case .head(let head) = part.part { heads.append(head) }
            if case .end(let last) = part.part { end = last }
        }
        return (heads, end)
    }

    @Test func imagesAreAskedForAsTheModelTakesIt() async throws {
        let server = try await EmulatedServer()
        let image = try #require(server.subject.image)
        let request = ContentImageRequest.with {
            ($0.prompt, $0.width, $0.height, $0.count, $0.contentType) = ("a lamp", 1536, 1024, 2, "image/jpeg")
        }
        let (heads, end) = try await pieces(try await image.generate(request))
        #expect(heads.map(\.contentType) == ["image/jpeg", "image/jpeg"] && heads[0].width == 1536)
        #expect(heads[1].revisedPrompt == "a lamp, in ink" && heads[1].index == 1)
        #expect(end.usage.images == 2 && end.usage.outputTokens == 196 && !end.usage.estimated)
        let body = try JSONValue(json: Data((server.emulator.bodies.last ?? "").utf8))
        #expect(
            body["size"]?.string == "1536x1024" && body["n"] == .integer(2) && body["output_format"]?.string == "jpeg")
    }

    @Test func olderImageModelsAreAskedForBase64() async throws {
        let older = #"{"image_model": "dall-e-3", "image_format": "response_format"}"#
        let server = try await EmulatedServer(older)
        let (heads, end) = try await pieces(
            try await #require(server.subject.image).generate(.with { $0.prompt = "a lamp" }))
        #expect(heads.first?.width == 1 && end.usage.estimated && end.usage.inputTokens > 0 && end.model == "dall-e-3")
        // A server that gives addresses is not asked rightly.
        let wrong = try await EmulatedServer(#"{"image_model": "dall-e-3"}"#)
        let error = await #expect(throws: PluginError.self) {
            try await pieces(try await #require(wrong.subject.image).generate(.with { $0.prompt = "a lamp" }))
        }
        #expect(error?.reason == "content.bad_answer" && error?.message.contains("image_format") == true)
    }

    @Test(arguments: ["negative", "references", "seed", "side", "type"])
    func whatTheAPIHasNoFieldForIsNotSent(_ what: String) async throws {
        let server = try await EmulatedServer()
        var request = ContentImageRequest.with { $0.prompt = "a lamp" }
        switch what {
        case "negative": request.negativePrompt = "rain"
        case "references": request.references = [.with { $0.contentType = "image/png" }]
        case "seed": request.seed = 0
        case "side": request.width = 1024
        default: request.contentType = "image/tiff"
        }
        let asked = request
        let error = await #expect(throws: PluginError.self) {
            try await pieces(try await #require(server.subject.image).generate(asked))
        }
        #expect(error?.reason == "content.unsupported" && server.emulator.requests == 0)
    }

    @Test(arguments: [("", "verbose_json", "zh", 2), ("en", "verbose_json", "zh", 2), ("", "json", "zh-Hant", 1)])
    func recordingsAreSentAsForms(
        _ target: String, _ format: String, _ language: String, _ segments: Int
    ) async throws {
        let server = try await EmulatedServer(#"{"transcript_format": "\#(format)"}"#)
        var sound = Data()
        for try await part in try await #require(server.subject.speech).speak(
            .with { ($0.text, $0.contentType) = ("the lamp", "audio/wav") })
        {
            if case .data(let data) = part.part { sound += data }
        }
        let call = try await #require(server.subject.transcription).transcribe()
        try await call.send(
            .with {
                $0.head = .with {
                    ($0.contentType, $0.language, $0.translateTo, $0.hint) = (
                        "audio/wav", "zh-Hant", target, "lamp\r\n--theatre-form-0-"
                    )
                }
            })
        let sent = sound
        try await call.send(.with { $0.data = sent })
        call.finish()
        var texts: [ContentTranscriptSegment] = []
        var end = ContentTranscriptEnd()
        for try await part in call.responses {
            if case .segment(let segment) = part.part { texts.append(segment) }
            if case .end(let last) = part.part { end = last }
        }
        #expect(texts.map(\.text).joined() == (target == "en" ? "THE LAMP" : "the lamp") && texts.count == segments)
        #expect(end.language == language && end.usage.audioMs == 1 && texts.last?.endMs == 1)
    }

    @Test func tooLongARecordingIsNotSent() async throws {
        let server = try await EmulatedServer()
        let error = await #expect(throws: PluginError.self) {
            let call = try await #require(server.subject.transcription).transcribe()
            try await call.send(.with { $0.head.contentType = "audio/wav" })
            for _ in 0..<8 { try await call.send(.with { $0.data = Data(count: 128 << 10) }) }
            call.finish()
            for try await _ in call.responses {}
        }
        #expect(error?.reason == "content.bad_sound" && server.emulator.requests == 0)
    }

    @Test func scoresOfAnySizeAreBroughtBetweenNoughtAndOne() async throws {
        let server = try await EmulatedServer(#"{"rerank_model": "raw"}"#)
        let answer = try await #require(server.subject.rerank).rank(
            .with { ($0.query, $0.documents) = ("lamp bridge", ["a boat", "lamp", "lamp bridge"]) })
        #expect(answer.items.map(\.index) == [2, 1, 0] && answer.usage.inputTokens == 9 && !answer.usage.estimated)
        #expect(answer.items.allSatisfy { (0...1).contains($0.score) } && answer.items[1].score == 0.5)
    }

    @Test(arguments: [
        #"{"results": [{"index": 0, "relevance_score": 1}, {"index": 0, "relevance_score": 0}]}"#,
        #"{"results": [{"index": 2, "relevance_score": 1}]}"#, #"{"results": [{"index": 0}]}"#, #"{"results": []}"#,
        "{}",
    ])
    func anOrderThatIsNoneIsABadAnswer(_ body: String) async throws {
        let server = try await EmulatedServer()
        server.emulator.script(.answer(200, body))
        let error = await #expect(throws: PluginError.self) {
            try await #require(server.subject.rerank).rank(.with { ($0.query, $0.documents) = ("x", ["y", "z"]) })
        }
        #expect(error?.reason == "content.bad_answer")
    }

    @Test func categoriesHaveTheContractsNames() async throws {
        let server = try await EmulatedServer()
        let answer = try await #require(server.subject.moderation).classify(.with { $0.texts = ["blood", "tea"] })
        let flagged = answer.items.map { $0.categories.filter { $0.isFlagged }.map(\.category) }
        #expect(flagged == [["violence_graphic"], []] && answer.items[0].categories.count == 13)
        #expect(answer.items[0].categories.contains { $0.category == "self_harm" })
    }

    @Test func aVideoIsAskedAfterAndFetched() async throws {
        let server = try await EmulatedServer()
        let video = try #require(server.subject.video)
        let job = try await video.start(
            .with { ($0.requestID, $0.prompt, $0.durationMs, $0.width, $0.height) = ("r", "boat", 7001, 1280, 720) })
        let id = ContentVideoJobRequest.with { $0.jobID = job.jobID }
        #expect(job.state == .queued && job.model == "sora-2" && !job.hasUsage)
        let running = try await video.get(id)
        #expect(running.state == .running && running.progress.percent == 50)
        let ready = try await video.get(id)
        #expect(ready.state == .ready && ready.usage.videoMs == 8000 && ready.expiresAt == 1_700_003_600_000)
        let (heads, end) = try await pieces(try await video.fetch(id))
        #expect(heads.first?.contentType == "video/mp4" && heads.first?.durationMs == 8000 && end.usage.videoMs == 8000)
        #expect(try await video.cancel(id).state == .ready && server.emulator.videoJobs == 1)
    }

    @Test func aCancelledVideoIsDeleted() async throws {
        let server = try await EmulatedServer()
        let video = try #require(server.subject.video)
        let job = try await video.start(.with { ($0.requestID, $0.prompt) = ("r", "boat") })
        let id = ContentVideoJobRequest.with { $0.jobID = job.jobID }
        #expect(try await video.cancel(id).state == .cancelled && server.emulator.videoJobs == 0)
        let error = await #expect(throws: PluginError.self) { try await video.get(id) }
        #expect(error?.reason == "content.no_job")
    }

    @Test func aVideoThatIsRefusedSaysWhy() async throws {
        let server = try await EmulatedServer()
        let video = try #require(server.subject.video)
        let job = try await video.start(.with { ($0.requestID, $0.prompt) = ("r", "something forbidden") })
        let id = ContentVideoJobRequest.with { $0.jobID = job.jobID }
        _ = try await video.get(id)
        let failed = try await video.get(id)
        #expect(
            failed.state == .failed && failed.reason == "content.refused"
                && failed.message == "Your request was blocked.")
    }

    @Test(arguments: ["../models", "a/b", "", "a?b=c", String(repeating: "a", count: 201)])
    func anIDThatIsNoneIsNotSent(_ id: String) async throws {
        let server = try await EmulatedServer()
        let error = await #expect(throws: PluginError.self) {
            try await #require(server.subject.video).get(.with { $0.jobID = id })
        }
        #expect(error?.code == .notFound || error?.code == .invalidArgument)
        #expect(server.emulator.requests == 0)
    }

    @Test func aStreamWhoseUsageIsNotAskedForIsCountedHere() async throws {
        let server = try await EmulatedServer(#"{"stream_usage": "none"}"#)
        let (parts, error) = await server.stream(asking("one two"))
        #expect(error == nil && parts.last?.usage.estimated == true && parts.last?.finishReason == .stop)
        #expect(server.emulator.bodies.last?.contains("stream_options") == false)
    }

    @Test(arguments: ["base64", "float"]) func vectorsComeInEitherForm(_ format: String) async throws {
        let server = try await EmulatedServer(#"{"encoding_format": "\#(format)"}"#)
        let answer = try await server.embedding.embed(.with { ($0.texts, $0.dimensions) = (["a", "b"], 64) })
        #expect(answer.vectors.map(\.values.count) == [64, 64])
    }
}
