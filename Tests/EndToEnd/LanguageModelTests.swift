// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import NIOHTTP1
import Testing
import TheatreManifest

/// Drafting by a language model over the wire, and what its faults cost: nothing.
@Suite(.serialized) struct LanguageModelTests {
    @Test func aRunIsOutlinedAndEmbeddedByTheServer() async throws {
        let model = try await LanguageModel.start()
        let person = try await model.person()
        let run = try await person.outcome()
        #expect(run["status"]?.string == "SUCCEEDED", "\(run)")
        let scenes = try await person.client.expect(200, .GET, "/api/v1/runs/\(try run.text("/id"))/scenes")
        #expect(scenes["items"]?.array?.count == 14, "the emulator makes a beat of each of the first 14 lines")

        // The emulator refuses any other bearer, so what it answered came with the key.
        let requests = try model.requests
        #expect(requests.count == 2)
        let chat = try #require(requests.first)
        #expect(chat["model"]?.string == "gpt-4o-mini")
        #expect(chat.value(at: "/response_format/json_schema/name")?.string == "outline")
        #expect(chat["messages"]?.array?.last?["role"]?.string == "user")
        #expect(chat["messages"]?.array?.last?["content"]?.string == chapterText)
        let embed = try #require(requests.last)
        #expect(embed["model"]?.string == "text-embedding-3-small")
        #expect(embed["encoding_format"]?.string == "base64")
        #expect(embed["input"]?.array?.count == 14)

        let cost = try #require(run.value(at: "/cost/amount")?.integer)
        #expect(try await person.chipEntries() == [-cost, 500])
        #expect(!model.server.output.contains(LanguageModel.key), "the key must not be logged")
        try await model.stop()
    }

    /// What stands in the way of a run, and how the run says so.
    struct Failure: Sendable, CustomTestStringConvertible {
        let fault: OpenAIEmulator.Fault
        let reason: String
        var testDescription: String { reason }
    }

    static let failures = [
        Failure(
            fault: .refusal(429, type: "requests", code: "rate_limit_exceeded", headers: [("retry-after-ms", "20")]),
            reason: "content.throttled"),
        Failure(
            fault: .refusal(429, type: "insufficient_quota", code: "insufficient_quota", headers: []),
            reason: "content.quota"),
        Failure(fault: .brokenGateway(502), reason: "content.unavailable"),
        Failure(fault: .cut(after: 0), reason: "content.unavailable"),
    ]

    @Test(arguments: StorageEngine.allCases)
    func aFaultEndsTheRunWithItsReasonAndNothingIsCharged(_ engine: StorageEngine) async throws {
        let model = try await LanguageModel.start(on: engine)
        let person = try await model.person()
        for failure in Self.failures {
            model.emulator.script(failure.fault)
            let run = try await person.outcome()
            #expect(run["status"]?.string == "FAILED", "\(failure): \(run)")
            #expect(run["failure"]?.string == failure.reason)
        }
        #expect(model.emulator.requests == Self.failures.count, "a run that failed asks for no embedding")
        #expect(try await person.chips() == 500)
        #expect(try await person.chipEntries() == [500])
        #expect(!model.server.output.contains(LanguageModel.key))
        try await model.stop()
    }

    @Test(arguments: StorageEngine.allCases)
    func aThrottledRunIsTriedAgainAndChargedOnce(_ engine: StorageEngine) async throws {
        let model = try await LanguageModel.start(on: engine, attempts: 3)
        let person = try await model.person()
        model.emulator.script(
            .refusal(429, type: "requests", code: "rate_limit_exceeded", headers: [("retry-after-ms", "20")]))
        let run = try await person.outcome()
        #expect(run["status"]?.string == "SUCCEEDED", "\(run)")
        #expect(model.emulator.requests == 3)
        let cost = try #require(run.value(at: "/cost/amount")?.integer)
        #expect(try await person.chipEntries() == [-cost, 500])
        try await model.stop()
    }

    @Test func theFallbackOutlinesWhereTheServerCannot() async throws {
        let model = try await LanguageModel.start(fallbacks: "offline")
        let person = try await model.person()
        model.emulator.script(.brokenGateway(503))
        let run = try await person.outcome()
        #expect(run["status"]?.string == "SUCCEEDED", "\(run)")
        #expect(model.emulator.requests == 2, "one outline that failed, one embedding")
        try await model.stop()
    }

    @Test func aWrongKeyIsToldAsAMisconfigurationAndNotLogged() async throws {
        let model = try await LanguageModel.start(given: "sk-of-somebody-else")
        let person = try await model.person()
        let run = try await person.outcome()
        #expect(run["status"]?.string == "FAILED")
        #expect(run["failure"]?.string == "content.misconfigured")
        #expect(try await person.chips() == 500)
        #expect(!model.server.output.contains("sk-of-somebody-else"))
        try await model.stop()
    }
}
