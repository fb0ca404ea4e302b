// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import Synchronization
import Testing

@testable import Runtime

@Suite struct DispatchStreamTests {
    let stage = Stage()

    private var both: [PortOperation] {
        var traits = OperationTraits()
        traits.streamsIn = true
        traits.streamsOut = true
        return [PortOperation("test.v1.Test/Run", traits)]
    }

    @Test func creditBoundsWhatTheCalleeSends() throws {
        let (_, plugin) = try stage.port("a", operations: both)
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let sink = Recorder()
        let id = try stage.start("a", sink)
        let chunk = [UInt8](repeating: 1, count: 60_000)
        #expect(plugin.send(id.rawValue, chunk, seq: 0) == THEATRE_OK)
        #expect(plugin.send(id.rawValue, chunk, seq: 1) == THEATRE_OK)
        #expect(plugin.send(id.rawValue, chunk, seq: 2) == THEATRE_RESOURCE_EXHAUSTED)
        #expect(sink.chunks.count == 2)
        stage.dispatcher.credit(id, bytes: 60_000)
        #expect(plugin.send(id.rawValue, chunk, seq: 2) == THEATRE_OK)
        #expect(plugin.send(id.rawValue, [], seq: 3, end: true) == THEATRE_OK)
        #expect(sink.ends == 1)
        #expect(plugin.send(id.rawValue, [1], seq: 4) == THEATRE_FAILED_PRECONDITION)
        plugin.complete(id.rawValue)
        #expect(plugin.send(id.rawValue, [1], seq: 4) == THEATRE_NOT_FOUND)
    }

    @Test func gapsAndRepeatsInSequenceAreRefused() throws {
        let (_, plugin) = try stage.port("a", operations: both)
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let sink = Recorder()
        let id = try stage.start("a", sink)
        #expect(plugin.send(id.rawValue, [1], seq: 1) == THEATRE_INVALID_ARGUMENT)
        #expect(plugin.send(id.rawValue, [1], seq: 0) == THEATRE_OK)
        #expect(plugin.send(id.rawValue, [1], seq: 0) == THEATRE_INVALID_ARGUMENT)
        #expect(sink.chunks == [[1]])
    }

    @Test func othersCannotSendOnAStream() throws {
        let (_, plugin) = try stage.port("a", operations: both)
        let (_, other) = try stage.port("b")
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let id = try stage.start("a", Recorder())
        #expect(other.send(id.rawValue, [1], seq: 0) == THEATRE_NOT_FOUND)
        #expect(plugin.send(id.rawValue | CallTable.callerSide, [1], seq: 0) == THEATRE_NOT_FOUND)
    }

    @Test func unaryCallsCarryNoStream() throws {
        let (_, plugin) = try stage.port("a")
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let id = try stage.start("a", Recorder())
        #expect(plugin.send(id.rawValue, [1], seq: 0) == THEATRE_FAILED_PRECONDITION)
    }

    @Test func callerSendsAgainstCreditOfTheCallee() throws {
        let (_, plugin) = try stage.port("a", operations: both)
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let sink = Recorder()
        let id = try stage.start("a", sink)
        let chunk = [UInt8](repeating: 2, count: 70_000)
        #expect(chunk.withUnsafeBytes { stage.dispatcher.send(id, $0, end: false) })
        #expect(!chunk.withUnsafeBytes { stage.dispatcher.send(id, $0, end: false) })
        plugin.credit(id.rawValue, 70_000)
        #expect(sink.credit == 70_000)
        #expect(chunk.withUnsafeBytes { stage.dispatcher.send(id, $0, end: true) })
        #expect(!chunk.withUnsafeBytes { stage.dispatcher.send(id, $0, end: false) })
        #expect(plugin.recorded.chunks.map(\.count) == [70_000, 70_000])
    }

    @Test func serviceStreamsAgainstThePluginsCredit() throws {
        var traits = OperationTraits()
        traits.streamsOut = true
        let service = FakeService()
        let (_, plugin) = try stage.port("a", calls: [PortCall("s/Do", .service(service, operation: "Do"), traits)])
        let id = try plugin.request(0).get()
        let call = try #require(service.calls.first)
        let credited = Mutex(0)
        call.onCredit { credited.withLock { $0 += 1 } }
        #expect(call.send([UInt8](repeating: 3, count: 65_536), end: false))
        #expect(!call.send([3], end: false))
        plugin.credit(id, 10)
        #expect(credited.withLock { $0 } == 1)
        #expect(call.send([3], end: true))
        call.complete([])
        #expect(plugin.recorded.chunks.map(\.count) == [65_536, 1])
        #expect(plugin.recorded.replies.map(\.code) == [THEATRE_OK])
    }

    @Test func longEchoKeepsItsOrderAndTheStack() throws {
        let (_, a) = try stage.port(
            "a", calls: [PortCall("next/Run", .feature("next", operation: "", fallback: false), both[0].traits)])
        let (b, plugin) = try stage.port("b", operations: both)
        stage.route(["next": .single(RouteCandidate(port: b, operation: 0, profile: "b"))])
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let total: UInt64 = 5_000
        let order = Mutex<[UInt64]>([])
        plugin.onSend = { plugin, id, seq, data, end in
            _ = plugin.send(id, data, seq: seq, end: end)
            plugin.credit(id, UInt64(data.count))
        }
        a.onSend = { plugin, id, seq, data, end in
            order.withLock { $0.append(seq) }
            if !end { _ = plugin.send(id, data, seq: seq + 1, end: seq + 2 == total) }
            plugin.credit(id, UInt64(data.count))
        }
        let id = try a.request(0).get()
        #expect(a.send(id, [1], seq: 0) == THEATRE_OK)
        #expect(order.withLock { $0 } == Array(0..<total))
    }
}
