// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin

@Suite struct SeamTests {
    static func host(
        _ kind: String = "pool", onRequest: @escaping RawHost.RequestHandler = { _, _, _, _ in THEATRE_UNIMPLEMENTED }
    ) throws -> RawHost {
        let host = RawHost(onRequest: onRequest)
        let (code, error) = host.create(
            Echo.self, manifest: Echo.manifestText(kind), configuration: #"{"greeting": "a"}"#)
        try #require(code == THEATRE_OK, "\(error)")
        return host
    }

    @Test(arguments: ["pool", "inline"]) func malformedRequestIsAnsweredOnce(_ kind: String) async throws {
        let host = try Self.host(kind)
        let answer = await host.call(0, [0x0A, 0xFF, 0x01])
        #expect(answer.code == THEATRE_INVALID_ARGUMENT)
        #expect(answer.reason == "plugin.malformed_request")
        #expect(host.state.withLock { $0.completions.values.allSatisfy { $0.count == 1 } })
    }

    @Test func inlineCallIsDoneWhenInvokeReturns() throws {
        let host = try Self.host("inline")
        let id = host.newID()
        host.invoke(id, 0, [])
        #expect(host.state.withLock { $0.completions[id]?.count } == 1)
    }

    @Test func unknownOperationIsAnswered() async throws {
        let answer = await (try Self.host()).call(99, [])
        #expect(answer.code == THEATRE_UNIMPLEMENTED)
        #expect(answer.reason == "plugin.unknown_operation")
    }

    @Test func drainingInstanceRefusesWithoutEffect() async throws {
        let host = try Self.host()
        let table = try #require(host.instance).pointee
        table.deactivate?(table.`self`)
        let answer = await host.call(0, [])
        #expect(answer.code == THEATRE_UNAVAILABLE)
        #expect(answer.reason == "plugin.draining")
        #expect(answer.effect == THEATRE_EFFECT_NONE)
    }

    @Test(arguments: ["pool", "inline"]) func cancellationThatOvertookItsCallIsRemembered(_ kind: String) async throws {
        let host = try Self.host(kind)
        let id = host.newID()
        host.cancel(id)
        host.invoke(id, 2, [])
        #expect(await host.completion(of: id).code == THEATRE_CANCELLED)
    }

    @Test(arguments: ["pool", "inline"]) func cancellationEndsAHandlerThatWaits(_ kind: String) async throws {
        let host = try Self.host(kind)
        let id = host.newID()
        host.invoke(id, 2, [], flags: THEATRE_CALL_SIDE_EFFECT)
        host.cancel(id)
        host.cancel(id)
        let answer = await host.completion(of: id)
        #expect(answer.code == THEATRE_CANCELLED)
        #expect(host.state.withLock { $0.completions[id]?.count } == 1)
    }

    @Test(arguments: ["pool", "inline"]) func replyInsideRequestIsFound(_ kind: String) async throws {
        let host = try Self.host(kind) { host, id, payload, _ in
            #expect(host.reply(id, payload) == THEATRE_OK)
            return THEATRE_OK
        }
        let payload: [UInt8] = try fire("early").serializedBytes()
        let answer = await host.call(1, payload)
        #expect(answer.code == THEATRE_OK)
        #expect(answer.payload == payload)
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["pool", "inline"])
    func repliesThatRaceWithTheirRequestsAllArrive(_ kind: String) async throws {
        let threads = PluginExecutor(name: "repliers", limit: 2)
        let refused = Count()
        let host = try Self.host(kind) { host, id, payload, _ in
            replyLater(threads, host, id, payload, refused)
            return THEATRE_OK
        }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for lane in 0..<32 {
                group.addTask {
                    for turn in 0..<100 {
                        let payload: [UInt8] = try fire("\(lane)-\(turn)").serializedBytes()
                        let answer = await host.call(1, payload)
                        if answer.code != THEATRE_OK || answer.payload != payload { return false }
                    }
                    return true
                }
            }
            for try await isSound in group { #expect(isSound) }
        }
        #expect(refused.value.load(ordering: .relaxed) == 0)
        #expect(host.state.withLock { $0.completions.values.allSatisfy { $0.count == 1 } })
    }

    @Test func refusedRequestThrowsItsCode() async throws {
        let host = try Self.host()
        let answer = await host.call(1, [])
        #expect(answer.code == THEATRE_UNIMPLEMENTED)
    }

    @Test func secondReplyIsRefused() async throws {
        let host = try Self.host { host, id, payload, _ in
            #expect(host.reply(id, payload) == THEATRE_OK)
            return THEATRE_OK
        }
        _ = await host.call(1, [])
        let made = host.state.withLock { $0.nextID - 1 }
        #expect(host.reply(made, []) == THEATRE_NOT_FOUND)
    }

    @Test func destroyFailsWhatStillWaits() async throws {
        let (requested, signal) = AsyncStream<UInt64>.makeStream()
        let host = try Self.host { _, id, _, _ in
            signal.yield(id)
            return THEATRE_OK
        }
        host.invoke(host.newID(), 1, [])
        for await _ in requested { break }
        let table = try #require(host.instance).pointee
        table.destroy?(table.`self`)
    }
}

private final class Count: Sendable {
    let value = Atomic<Int>(0)
}

/// A reply on another thread, as soon as it gets there: before or after `request` has returned.
private func replyLater(_ threads: PluginExecutor, _ host: RawHost, _ id: UInt64, _ payload: [UInt8], _ refused: Count)
{
    Task(executorPreference: threads) {
        if host.reply(id, payload) != THEATRE_OK { refused.value.add(1, ordering: .relaxed) }
    }
}
