// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import FoundationEssentials
import ModelServers
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import OpenAI

/// Each fault of the server in each modality: code, reason, effect, retry and whose fault it is. The table of the README.
struct FaultTableTests {
    typealias Row = (
        fault: OpenAIEmulator.Fault, code: PluginError.Code, reason: String, retry: PluginError.Retry,
        blame: ContentErrorClass
    )

    private static let quota = "insufficient_quota"

    static let rows: [Row] = [
        (refusal(401, "invalid_api_key"), .failedPrecondition, "content.misconfigured", .never, .auth),
        (refusal(403, nil), .failedPrecondition, "content.misconfigured", .never, .auth),
        (refusal(404, "model_not_found"), .failedPrecondition, "content.model_unknown", .never, .client),
        (refusal(400, nil), .invalidArgument, "content.rejected", .never, .client),
        (refusal(400, "content_policy_violation"), .invalidArgument, "content.refused", .never, .client),
        (refusal(413, nil), .invalidArgument, "content.too_long", .never, .client),
        (refusal(429, nil), .resourceExhausted, "content.throttled", .after(milliseconds: 1000), .rate),
        (
            refusal(429, nil, ("retry-after", "7")), .resourceExhausted, "content.throttled",
            .after(milliseconds: 7000), .rate
        ),
        (
            refusal(429, nil, ("retry-after-ms", "250")), .resourceExhausted, "content.throttled",
            .after(milliseconds: 250), .rate
        ),
        (
            refusal(429, nil, ("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")), .resourceExhausted,
            "content.throttled", .after(milliseconds: 0), .rate
        ),
        (refusal(429, quota, ("retry-after", "7")), .failedPrecondition, "content.quota", .never, .quota),
        (refusal(500, nil), .unavailable, "content.unavailable", .safe, .server),
        (
            refusal(503, nil, ("retry-after", "2")), .unavailable, "content.unavailable", .after(milliseconds: 2000),
            .server
        ),
        (refusal(503, nil, ("x-should-retry", "false")), .unavailable, "content.unavailable", .never, .server),
        (.brokenGateway(502), .unavailable, "content.unavailable", .safe, .server),
        (.cut(after: 0), .unavailable, "content.unavailable", .safe, .server),
        (.slow(milliseconds: 700_000), .deadlineExceeded, "content.timeout", .safe, .timeout),
        (.malformed(after: 0), .dataLoss, "content.bad_answer", .safe, .server),
    ]

    private static func refusal(_ status: Int, _ code: String?, _ headers: (String, String)...) -> OpenAIEmulator.Fault
    {
        .refusal(status, type: "x", code: code, headers: headers)
    }

    @Test(arguments: rows.indices) func aFaultIsTheSameInEachModality(_ at: Int) async throws {
        let row = Self.rows[at]
        let server = try await EmulatedServer()
        for modality in Modality.allCases {
            // A chat that is streamed is slow part by part, and sound is never malformed.
            if modality == .speech, case .malformed = row.fault { continue }
            if modality == .stream, case .slow = row.fault { continue }
            server.emulator.script(row.fault)
            let before = server.emulator.requests
            let error = await modality.failure(server.subject)
            #expect(error?.code == row.code && error?.reason == row.reason, "\(modality): \(String(describing: error))")
            #expect(error?.retry == row.retry, "\(modality)")
            #expect(error.map { ContentErrorClass($0) } == row.blame, "\(modality)")
            let isUnsure = [.unavailable, .deadlineExceeded, .dataLoss].contains(row.code) && modality == .video
            #expect(error?.effect == (isUnsure ? .unknown : PluginError.Effect.none), "\(modality)")
            #expect(server.emulator.requests == before + 1, "\(modality) was tried again by itself")
        }
    }

    @Test(arguments: [
        (OpenAIEmulator.Fault.cut(after: 1), "content.stream_broken"), (.stall(after: 1), "content.timeout"),
    ])
    func soundThatBreaksOffHasNoEnd(_ fault: OpenAIEmulator.Fault, _ reason: String) async throws {
        let server = try await EmulatedServer()
        server.emulator.script(fault)
        var parts: [ContentMediaPart] = []
        let error = await #expect(throws: PluginError.self) {
            let stream = try await #require(server.subject.speech).speak(
                .with { $0.text = "a long enough text for several parts" })
            for try await part in stream { parts.append(part) }
        }
        #expect(error?.reason == reason && parts.count == 2)
    }

    @Test func usageThatCannotBeIsCountedHere() async throws {
        let server = try await EmulatedServer()
        server.emulator.script(.wrongUsage, .wrongUsage)
        let usage = try await server.chat().complete(asking("one two three")).usage
        #expect(usage.estimated && usage.inputTokens > 0 && usage.outputTokens > 0)
        let (parts, error) = await server.stream(asking("one two three"))
        #expect(error == nil && parts.last?.usage.estimated == true && parts.last?.usage.inputTokens ?? 0 > 0)
    }

    @Test(arguments: [
        (
            404,
            #"{"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404}"#,
            "content.model_unknown"
        ),
        (404, #"{"detail": "Not Found"}"#, "content.misconfigured"),
        (401, #"{"error": "no key"}"#, "content.misconfigured"),
        (400, #"{"error": {"message": "too long", "code": "context_length_exceeded"}}"#, "content.too_long"),
        (503, "", "content.unavailable"), (422, "[]", "content.rejected"),
    ])
    func errorsOfEachShapeAreRead(_ status: Int, _ body: String, _ reason: String) async throws {
        let server = try await EmulatedServer()
        server.emulator.script(.answer(status, body))
        #expect(await server.failure(asking("x"))?.reason == reason)
    }
}

/// One call of each modality.
enum Modality: CaseIterable {
    case chat, stream, embedding, image, moderation, rerank, speech, transcription, video

    /// What the call fails with.
    func failure(_ subject: ContentSubject) async -> PluginError? {
        do { try await call(subject) } catch { return error as? PluginError }
        return nil
    }

    private func call(_ subject: ContentSubject) async throws {
        switch self {
        case .chat: _ = try await subject.chat?.complete(asking("x"))
        case .stream:
            guard let chat = subject.chat else { return }
            for try await _ in try await chat.stream(asking("x")) {}
        case .embedding: _ = try await subject.embedding?.embed(.with { $0.texts = ["x"] })
        case .image:
            guard let image = subject.image else { return }
            for try await _ in try await image.generate(.with { $0.prompt = "x" }) {}
        case .moderation: _ = try await subject.moderation?.classify(.with { $0.texts = ["x"] })
        case .rerank: _ = try await subject.rerank?.rank(.with { ($0.query, $0.documents) = ("x", ["y"]) })
        case .speech:
            guard let speech = subject.speech else { return }
            for try await _ in try await speech.speak(.with { $0.text = "x" }) {}
        case .transcription:
            guard let call = try await subject.transcription?.transcribe() else { return }
            try await call.send(.with { $0.head.contentType = "audio/wav" })
            try await call.send(.with { $0.data = Data("RIFF".utf8) + Data(count: 44) })
            call.finish()
            for try await _ in call.responses {}
        case .video: _ = try await subject.video?.start(.with { ($0.requestID, $0.prompt) = ("r", "x") })
        }
    }
}
