// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import SeededRandom
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Runtime

@Suite struct DispatchRaceTests {
    let stage = Stage()

    private var wide: InstancePort.Limits {
        var limits = InstancePort.Limits()
        limits.maxConcurrency = 20_000
        limits.orphanCap = 20_000
        return limits
    }

    @Test func oneCompletionWinsAmongThreadsDeadlineAndCancel() async throws {
        let (port, plugin) = try stage.port("a", limits: wide)
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let dispatcher = stage.dispatcher
        let clock = stage.clock
        var accepted = 0
        var sinks: [Recorder] = []
        for round in 0..<3_000 {
            let sink = Recorder()
            sinks.append(sink)
            let id = try stage.start("a", "test.v1.Test/Run", [], sink, timeout: 1)
            let isSwept = round.isMultiple(of: 2)
            accepted += await withTaskGroup(of: Int.self) { group in
                for _ in 0..<2 {
                    group.addTask { plugin.complete(id.rawValue, [1]) == THEATRE_OK ? 1 : 0 }
                }
                group.addTask {
                    dispatcher.cancel(id)
                    return 0
                }
                if isSwept {
                    group.addTask {
                        clock.advance(milliseconds: 1)
                        dispatcher.sweep()
                        return 0
                    }
                }
                return await group.reduce(0, +)
            }
        }
        #expect(sinks.allSatisfy { $0.ended.count == 1 })
        let expired = sinks.count { $0.error != nil }
        let snapshot = port.snapshot()
        #expect(accepted + expired == 3_000)
        #expect(snapshot.orphans == 0)
        #expect(snapshot.inFlight == 0)
        #expect(port.callsOutstanding == 0)
        #expect(snapshot.late == UInt64(expired))
        #expect(snapshot.late + snapshot.double == UInt64(6_000 - accepted))
        #expect(snapshot.operations[0].byCode.reduce(0, +) == 3_000)
        #expect(snapshot.operations[0].buckets.reduce(0, +) == 3_000)
    }

    @Test func manyThreadsCallAtOnceWithoutLosingACall() async throws {
        let (port, _) = try stage.port("a", limits: wide)
        let dispatcher = stage.dispatcher
        let target = try dispatcher.target(instance: "a", operation: "test.v1.Test/Run")
        let sinks = await withTaskGroup(of: Recorder.self) { group in
            for thread in 0..<8 {
                group.addTask {
                    let sink = Recorder()
                    for number in 0..<2_000 {
                        let bytes = [UInt8(thread), UInt8(truncatingIfNeeded: number)]
                        _ = bytes.withUnsafeBytes {
                            dispatcher.start(OutgoingCall(payload: $0, context: .system), on: target, sink: sink)
                        }
                    }
                    return sink
                }
            }
            return await group.reduce(into: [Recorder]()) { $0.append($1) }
        }
        for sink in sinks {
            #expect(sink.ended.count == 2_000)
            #expect(sink.ended.enumerated().allSatisfy { $1.payload.last == UInt8(truncatingIfNeeded: $0) })
        }
        #expect(port.callsOutstanding == 0)
    }

    /// The table against a model of it: what is live, orphaned or gone, by id.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func slotsFollowTheirStateMachine(seed: UInt64) throws {
        let (port, plugin) = try stage.port("a", limits: wide)
        plugin.onInvoke = { _, _ in THEATRE_OK }
        var random = SeededGenerator(seed: seed)
        var live: [(id: UInt64, sink: Recorder, deadline: UInt64)] = []
        var orphaned: [UInt64] = []
        var gone: [UInt64] = []
        var ids: Set<UInt64> = []
        for _ in 0..<4_000 {
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                let timeout = UInt64.random(in: 1...40, using: &random)
                let sink = Recorder()
                let id = try stage.start("a", "test.v1.Test/Run", [], sink, timeout: timeout).rawValue
                #expect(ids.insert(id).inserted)
                live.append((id, sink, stage.clock.monotonic() + timeout * 1_000_000))
            case 2:
                guard let index = live.indices.randomElement(using: &random) else { continue }
                let call = live.remove(at: index)
                #expect(plugin.complete(call.id) == THEATRE_OK)
                #expect(call.sink.ended.count == 1 && call.sink.error == nil)
                gone.append(call.id)
            case 3:
                guard let index = orphaned.indices.randomElement(using: &random) else { continue }
                let id = orphaned.remove(at: index)
                #expect(plugin.complete(id) == THEATRE_NOT_FOUND)
                gone.append(id)
            case 4:
                guard let id = gone.randomElement(using: &random) else { continue }
                #expect(plugin.complete(id) == THEATRE_NOT_FOUND)
                #expect(!plugin.isLive(id))
            default:
                stage.clock.advance(milliseconds: UInt64.random(in: 0...3, using: &random))
                stage.dispatcher.sweep()
                let now = stage.clock.monotonic()
                for call in live where call.deadline <= now {
                    #expect(call.sink.error?.reason == "call.deadline")
                    orphaned.append(call.id)
                }
                live.removeAll { $0.deadline <= now }
            }
            #expect(port.callsInFlight == live.count)
            #expect(port.snapshot().orphans == orphaned.count)
            #expect(port.callsOutstanding == live.count + orphaned.count)
        }
        #expect(live.allSatisfy { $0.sink.ended.isEmpty && plugin.isLive($0.id) })
    }

    @Test func asyncCallAnswersFailsAndIsCancelledWithItsTask() async throws {
        let (_, plugin) = try stage.port("a")
        let context = HostContext.with { $0.tenant = "t" }
        let answer: HostContext = try await stage.dispatcher.call(
            instance: "a", operation: "test.v1.Test/Run", request: context)
        #expect(answer.tenant == "t")
        await #expect(throws: CallError.self) {
            let _: HostContext = try await stage.dispatcher.call(
                instance: "b", operation: "test.v1.Test/Run", request: context)
        }
        let (arrivals, arrived) = AsyncStream<Void>.makeStream()
        plugin.onInvoke = { _, _ in
            arrived.yield()
            return THEATRE_OK
        }
        plugin.onCancel = { plugin, id, _ in plugin.fail(id, CallError(.cancelled, "x.cancelled", "Stopped.")) }
        let target = try stage.dispatcher.target(instance: "a", operation: "test.v1.Test/Run")
        let dispatcher = stage.dispatcher
        let task = Task { try await dispatcher.call(target, payload: []) }
        for await _ in arrivals { break }
        task.cancel()
        await #expect(throws: CallError(.cancelled, "x.cancelled", "Stopped.")) { try await task.value }
    }

    final class Spans: SpanExporter {
        private let all = Mutex<[Span]>([])
        var spans: [Span] { all.withLock { $0 } }
        func export(_ spans: [Span]) { all.withLock { $0 += spans } }
    }

    @Test func nestedCallsShareATraceAndNameTheirParent() throws {
        let spans = Spans()
        stage.dispatcher.export(spansTo: spans)
        let next = PortCall.Target.feature("next", operation: "", fallback: false)
        let (_, a) = try stage.port("a", calls: [PortCall("next/Run", next)])
        let (b, plugin) = try stage.port("b")
        stage.route(["next": .single(RouteCandidate(port: b, operation: 0, profile: "b"))])
        a.onInvoke = { plugin, request in
            _ = plugin.request(0, on: request.call)
            return plugin.echo(request)
        }
        let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let context = CallContext(HostContext.with { $0.traceparent = header })
        try stage.start("a", "test.v1.Test/Run", [], Recorder(), context: context)
        stage.dispatcher.flushSpans()
        #expect(spans.spans.map(\.instance) == ["b", "a"])
        let (inner, outer) = (spans.spans[0].identity, spans.spans[1].identity)
        #expect(outer.traceHigh == 0x0af7_6519_16cd_43dd && inner.traceHigh == outer.traceHigh)
        #expect(outer.parent == 0xb7ad_6b71_6920_3331)
        #expect(inner.parent == outer.span && inner.span != outer.span)
        let seen = try HostContext(serializedBytes: try #require(plugin.recorded.contexts.first))
        #expect(SpanIdentity(traceparent: seen.traceparent)?.span == inner.span)
        #expect(seen.caller == "a")
    }
}
