// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import SQLite
@testable import Webhook

/// What does not arrive is kept and sent again.
struct RedeliveryTests {
    private func receiver() async throws -> EmulatedReceiver {
        let receiver = try await EmulatedReceiver()
        try await receiver.host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        receiver.host.route(Redelivery.feature, to: "sqlite", capability: "theatre.jobs.v1.Queue")
        return receiver
    }

    @Test func whatTheEndpointPutOffIsSentWhenItSaidSo() async throws {
        let receiver = try await receiver()
        receiver.emulator.script(.status(503, [("retry-after", "60")]), .status(429, []))
        let first = receiver.host.now
        let accepted = try await receiver.client.send(receiver.message())
        #expect(accepted.providerReference.hasPrefix("job_") && accepted.at == first)
        receiver.host.advance(milliseconds: 59_000)
        #expect(try await receiver.host.runJobs().isEmpty)
        receiver.host.advance(milliseconds: 1001)
        #expect(try await receiver.host.runJobs().map(\.state) == [.waiting])
        #expect(receiver.emulator.requests == 2 && receiver.emulator.deliveries.isEmpty)
        receiver.host.advance(milliseconds: 600_000)
        #expect(try await receiver.host.runJobs().map(\.state) == [.done])
        let delivery = try #require(receiver.emulator.deliveries.first)
        #expect(delivery.id == "m1" && delivery.timestamp == receiver.host.now / 1000)
        #expect(delivery.body.contains(#""timestamp":"2025-06-15T15:06:40.000Z""#), "that of the first attempt")
        #expect(receiver.host.violations.isEmpty)
    }

    @Test func aMessageThatWaitsIsKeptOnce() async throws {
        let receiver = try await receiver()
        receiver.emulator.script(.cut(kept: true), .cut(kept: true))
        let references = [
            try await receiver.client.send(receiver.message()).providerReference,
            try await receiver.client.send(receiver.message()).providerReference,
        ]
        #expect(references[0] == references[1])
        receiver.host.advance(milliseconds: 5001)
        #expect(try await receiver.host.runJobs().count == 1)
        #expect(receiver.emulator.deliveries.count == 1 && receiver.emulator.repeats == 2)
    }

    @Test(arguments: [410, 400]) func whatTheEndpointRefusesIsNotKept(_ status: Int) async throws {
        let receiver = try await receiver()
        receiver.emulator.script(.status(status, []))
        #expect(await receiver.failure()?.retry == PluginError.Retry.never)
        receiver.host.advance(milliseconds: 3_600_000)
        #expect(try await receiver.host.runJobs().isEmpty)
    }

    /// An endpoint that refuses at last ends the attempts.
    @Test func aRefusalLaterOnEndsTheAttempts() async throws {
        let receiver = try await receiver()
        receiver.emulator.script(.status(500, []), .status(410, []))
        _ = try await receiver.client.send(receiver.message())
        receiver.host.advance(milliseconds: 5001)
        let runs = try await receiver.host.runJobs()
        #expect(runs.map(\.state) == [.dead] && runs.first?.reason == "notification.address_dead")
    }

    @Test func whatWouldComeTooLateIsNotKept() async throws {
        let receiver = try await receiver()
        let end = receiver.host.now + 4000
        receiver.emulator.script(.status(503, []))
        #expect(await receiver.failure { $0.validUntil = end }?.reason == "notification.throttled")
        let later = receiver.host.now + 6000
        receiver.emulator.script(.status(503, []), .status(503, []))
        #expect(await receiver.failure("m2") { $0.validUntil = later } == nil)
        receiver.host.advance(milliseconds: 7000)
        let runs = try await receiver.host.runJobs()
        #expect(runs.map(\.state) == [.dead] && runs.first?.reason == "notification.expired")
    }
}
