// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Runtime

@Suite struct DispatchRequestTests {
    let stage = Stage()
    let feature = PortCall.Target.feature("next", operation: "test.v1.Test/Run", fallback: true)

    private func single(_ port: InstancePort) -> Resolution {
        .single(RouteCandidate(port: port, operation: 0, profile: port.identity.instance))
    }

    @Test func callBetweenInstancesInheritsContextAndDeadline() throws {
        let (_, a) = try stage.port("a", calls: [PortCall("next/Run", feature)])
        let (b, plugin) = try stage.port("b")
        stage.route(["next": single(b)])
        a.onInvoke = { plugin, request in
            guard case .success = plugin.request(0, on: request.call, [9]) else { return THEATRE_INTERNAL }
            plugin.complete(request.call, plugin.recorded.replies.first?.payload ?? [])
            return THEATRE_OK
        }
        let sink = Recorder()
        let context = CallContext(HostContext.with { $0.tenant = "t1" })
        try stage.start("a", "test.v1.Test/Run", [1], sink, context: context, timeout: 70)
        #expect(sink.ended == [.init(payload: [9], error: nil)])
        let seen = try HostContext(serializedBytes: try #require(plugin.recorded.contexts.first))
        #expect(seen.tenant == "t1")
        #expect(seen.caller == "a")
        #expect(plugin.recorded.deadlines == [stage.clock.monotonic() + 70_000_000])
    }

    /// `a` is what the route calls; `b` what it calls to commit with, and what calls `c` in turn.
    @Test(arguments: [true, false]) func onlyTheRoutesOwnCallsMustAnswer(_ isSampled: Bool) throws {
        if isSampled { stage.dispatcher.export(spansTo: Unseen()) }
        let onward = PortCall.Target.feature("onward", operation: "test.v1.Test/Run", fallback: true)
        let (_, a) = try stage.port("a", calls: [PortCall("next/Run", feature)])
        let (b, second) = try stage.port("b", calls: [PortCall("onward/Run", onward)])
        let (c, third) = try stage.port("c")
        stage.route(["next": single(b), "onward": single(c)])
        let relay: FakePlugin.Handler = { plugin, request in
            guard case .success = plugin.request(0, on: request.call) else { return THEATRE_INTERNAL }
            return plugin.echo(request)
        }
        a.onInvoke = relay
        second.onInvoke = relay
        let context = CallContext(
            HostContext.with {
                $0.requestID = "req_1"
                $0.answerRequired = true
            })
        try stage.start("a", "test.v1.Test/Run", [1], Recorder(), context: context)
        let seen = try [a, second, third].map { plugin in
            try HostContext(serializedBytes: try #require(plugin.recorded.contexts.first))
        }
        #expect(seen.map(\.requestID) == ["req_1", "req_1", "req_1"])
        #expect(seen.map(\.answerRequired) == [true, true, false])
        #expect(seen.map(\.caller) == ["host", "a", "b"])
    }

    @Test func workOfAPluginsOwnHasNoTenant() throws {
        let (_, a) = try stage.port("a", calls: [PortCall("next/Run", feature)])
        let (b, plugin) = try stage.port("b")
        stage.route(["next": single(b)])
        #expect(throws: Never.self) { try a.request(0).get() }
        let seen = try HostContext(serializedBytes: try #require(plugin.recorded.contexts.first))
        #expect(seen.tenant.isEmpty)
        #expect(seen.principalKind == .system)
        #expect(seen.caller == "a")
    }

    @Test func refusalsSayWhyAndSendNothing() throws {
        var hostOnly = OperationTraits()
        hostOnly.hostOnly = true
        let (_, a) = try stage.port(
            "a",
            calls: [
                PortCall("next/Run", feature), PortCall("next/Secret", feature, hostOnly),
                PortCall("gone/Run", .refused(CallError(.unavailable, "route.unrouted", "No."))),
            ])
        #expect(a.request(0) == .failure(.init(code: THEATRE_UNAVAILABLE, reason: "route.unrouted")))
        #expect(a.request(1) == .failure(.init(code: THEATRE_PERMISSION_DENIED, reason: "call.host_only")))
        #expect(a.request(2) == .failure(.init(code: THEATRE_UNAVAILABLE, reason: "route.unrouted")))
        #expect(a.request(3) == .failure(.init(code: THEATRE_INVALID_ARGUMENT, reason: "call.unknown_operation")))
        #expect(a.request(0, on: 12345) == .failure(.init(code: THEATRE_NOT_FOUND, reason: "call.ended")))
        #expect(a.recorded.replies.isEmpty)
    }

    @Test func seventeenthCallOnBehalfOfAnotherIsRefused() throws {
        let (a, plugin) = try stage.port("a", calls: [PortCall("next/Run", feature)])
        stage.route(["next": single(a)])
        let refused = Mutex<[String]>([])
        plugin.onInvoke = { plugin, request in
            if case .failure(let refusal) = plugin.request(0, on: request.call) {
                refused.withLock { $0.append(refusal.reason) }
                plugin.complete(request.call)
            }
            return THEATRE_OK
        }
        try stage.start("a", Recorder())
        #expect(refused.withLock { $0 } == ["call.too_deep"])
        #expect(plugin.recorded.calls.count == 16)
    }

    @Test func tenThousandCallsBackAndForthDoNotOverflowTheStack() throws {
        let (a, first) = try stage.port("a", calls: [PortCall("next/Run", feature)], limits: wide)
        let (b, second) = try stage.port(
            "b", calls: [PortCall("back/Run", .feature("back", operation: "", fallback: false))], limits: wide)
        stage.route(["next": single(b), "back": single(a)])
        let left = Mutex(10_000)
        let pending = Mutex<[UInt64: (FakePlugin, UInt64)]>([:])
        let recurse: FakePlugin.Handler = { plugin, request in
            let isLast = left.withLock { left in
                left -= 1
                return left <= 0
            }
            if isLast { return plugin.echo(request) }
            guard case .success(let id) = plugin.request(0) else { return THEATRE_INTERNAL }
            pending.withLock { $0[id] = (plugin, request.call) }
            return THEATRE_OK
        }
        first.onInvoke = recurse
        second.onInvoke = recurse
        let finish: @Sendable (FakePlugin, UInt64, Int32, [UInt8], String) -> Void = { _, id, _, _, _ in
            guard let (plugin, call) = pending.withLock({ $0.removeValue(forKey: id) }) else { return }
            plugin.complete(call)
        }
        first.onReply = finish
        second.onReply = finish
        let sink = Recorder()
        try stage.start("a", sink)
        #expect(left.withLock { $0 } == 0)
        #expect(first.recorded.calls.count + second.recorded.calls.count == 10_000)
    }

    private var wide: InstancePort.Limits {
        var limits = InstancePort.Limits()
        limits.maxConcurrency = 20_000
        return limits
    }

    @Test func openTransactionRefusesOtherNeedsUntilItEnds() throws {
        var holds = OperationTraits()
        holds.holdsTransaction = true
        let service = FakeService()
        let (_, a) = try stage.port(
            "a",
            calls: [
                PortCall("storage/Transact", .feature("storage", operation: "", fallback: false), holds),
                PortCall("storage/Query", .feature("storage", operation: "", fallback: false)),
                PortCall("next/Run", feature), PortCall("test.v1.Service/Do", .service(service, operation: "Do")),
            ])
        let (sql, storage) = try stage.port("sql")
        let (b, _) = try stage.port("b")
        stage.route(["storage": single(sql), "next": single(b)])
        a.onInvoke = { _, _ in THEATRE_OK }
        storage.onInvoke = { _, _ in THEATRE_OK }
        let call = try stage.start("a", Recorder()).rawValue
        _ = try a.request(0, on: call).get()
        let open = try #require(storage.recorded.calls.last)
        let refused = FakePlugin.Refused(code: THEATRE_FAILED_PRECONDITION, reason: "sql.transaction_open")
        #expect(a.request(2, on: call) == .failure(refused))
        #expect(a.request(3, on: call) == .failure(refused))
        #expect(throws: Never.self) { try a.request(1, on: call).get() }
        #expect(throws: Never.self) { try a.request(2).get() }
        storage.complete(open)
        #expect(throws: Never.self) { try a.request(2, on: call).get() }
    }

    @Test func childrenOfAnEndedCallAreCancelled() throws {
        let (_, a) = try stage.port("a", calls: [PortCall("next/Run", feature)])
        let (b, plugin) = try stage.port("b")
        stage.route(["next": single(b)])
        a.onInvoke = { _, _ in THEATRE_OK }
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let call = try stage.start("a", Recorder()).rawValue
        let child = try a.request(0, on: call).get()
        #expect(a.isLive(child))
        a.complete(call)
        #expect(plugin.recorded.cancels == [THEATRE_CANCEL_CALLER])
        plugin.fail(try #require(plugin.recorded.calls.first), CallError(.cancelled, "x.cancelled", "Stopped."))
        #expect(a.recorded.replies.map(\.reason) == ["x.cancelled"])
        #expect(b.callsOutstanding == 0)
    }

    @Test func serviceAnswersOnceAndLearnsOfCancellation() throws {
        let service = FakeService()
        let (port, a) = try stage.port("a", calls: [PortCall("s/Do", .service(service, operation: "Do"))])
        let id = try a.request(0, [4]).get()
        let call = try #require(service.calls.first)
        #expect(call.payload == [4])
        #expect(call.instance.instance == "a")
        let cancelled = Mutex(0)
        call.onCancel { cancelled.withLock { $0 += 1 } }
        #expect(call.isWanted)
        a.host.pointee.cancel(a.host.pointee.ctx, id, THEATRE_CANCEL_CALLER)
        #expect(cancelled.withLock { $0 } == 1)
        #expect(!call.isWanted)
        call.fail(CallError(.cancelled, "host.cancelled", "Given up."))
        call.complete([1])
        #expect(a.recorded.replies.map(\.reason) == ["host.cancelled"])
        #expect(port.callsOutstanding == 0)
    }

    /// An answer from the outside may have 16 MiB and headers, although a plugin's own message may not.
    @Test(arguments: [(16 << 20, true), (17 << 20, true), ((17 << 20) + 1, false)])
    func serviceAnswersUpToItsOwnBound(size: Int, isTaken: Bool) throws {
        var traits = OperationTraits()
        traits.sideEffect = true
        let service = FakeService()
        let (_, a) = try stage.port("a", calls: [PortCall("s/Do", .service(service, operation: "Do"), traits)])
        _ = try a.request(0).get()
        try #require(service.calls.first).complete([UInt8](repeating: 7, count: size))
        #expect(a.recorded.replies.map(\.payload.count) == [isTaken ? size : 0])
        #expect(a.recorded.replies.map(\.reason) == [isTaken ? "" : "host.answer_too_large"])
    }

    @Test func serviceThatNeverAnswersRunsIntoTheDeadline() throws {
        let service = FakeService()
        let (_, a) = try stage.port("a", calls: [PortCall("s/Do", .service(service, operation: "Do"))])
        _ = try a.request(0, deadline: stage.clock.monotonic() + 1_000_000).get()
        stage.clock.advance(milliseconds: 1)
        stage.dispatcher.sweep()
        #expect(a.recorded.replies.map(\.reason) == ["call.deadline"])
        service.calls.first?.complete([1])
        #expect(a.recorded.replies.count == 1)
    }

    struct FallbackCase: Sendable {
        var error: CallError
        var fallback = true
        var free = false
        var second: Bool
    }

    @Test(arguments: [
        FallbackCase(error: CallError(.unavailable, "x", "x"), second: true),
        FallbackCase(error: CallError(.internal, "x", "x"), second: true),
        FallbackCase(error: CallError(.resourceExhausted, "x", "x"), second: true),
        FallbackCase(error: CallError(.deadlineExceeded, "x", "x"), second: true),
        FallbackCase(error: CallError(.unavailable, "x", "x", effect: .unknown), second: false),
        FallbackCase(error: CallError(.unavailable, "x", "x", effect: .applied), second: false),
        FallbackCase(error: CallError(.internal, "x", "x", effect: .unknown), free: true, second: true),
        FallbackCase(error: CallError(.invalidArgument, "x", "x"), second: false),
        FallbackCase(error: CallError(.unavailable, "x", "x"), fallback: false, second: false),
    ]) func fallbackGoesOnlyWhereNothingHappened(_ row: FallbackCase) throws {
        var traits = OperationTraits()
        traits.freeOfEffects = row.free
        let target = PortCall.Target.feature("next", operation: "", fallback: row.fallback)
        let (caller, a) = try stage.port("a", calls: [PortCall("next/Run", target, traits)])
        let (b, first) = try stage.port("b")
        let (c, second) = try stage.port("c")
        let error = row.error
        first.onInvoke = { plugin, request in
            plugin.fail(request.call, error)
            return THEATRE_OK
        }
        stage.route([
            "next": .ordered(
                [b, c].map { RouteCandidate(port: $0, operation: 0, profile: $0.identity.instance) }, skipped: nil)
        ])
        _ = try a.request(0, [5]).get()
        #expect(second.recorded.calls.count == (row.second ? 1 : 0))
        #expect(a.recorded.replies.map(\.code) == [row.second ? THEATRE_OK : error.code.rawValue])
        #expect(a.recorded.replies.first?.payload == (row.second ? [5] : []))
        #expect([caller, b, c].allSatisfy { $0.callsOutstanding == 0 })
    }

    @Test func flipReachesTheNextCallAtOnce() throws {
        let (old, first) = try stage.port("a")
        let (_, second) = try stage.port("a", generation: 2)
        old.retire()
        try stage.start("a", Recorder())
        #expect(first.recorded.calls.isEmpty)
        #expect(second.recorded.calls.count == 1)
    }
}

private final class Unseen: SpanExporter {
    func export(_ spans: [Span]) {}
}
