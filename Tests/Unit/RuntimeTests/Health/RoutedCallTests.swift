// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import Registry
import Testing

@testable import Runtime

/// Calls to those who stand for somebody outside: who is asked, who is passed over, and what a stream brings.
@Suite struct RoutedCallTests {
    private let stage = Stage()
    private let book: HealthBook

    private static let down = CallError(.unavailable, "content.unavailable", "It is down.", retry: .safe)

    init() { book = HealthBook(clock: stage.clock) }

    private func candidate(_ port: InstancePort) -> RouteCandidate {
        RouteCandidate(
            port: port, operation: 0, profile: port.identity.instance,
            health: book.health(
                of: port.identity.instance, for: "chat", servedBy: port.identity, faults: ["content.quota": .quota]))
    }

    private func world(
        streams: Bool = false, fallback: Bool = true
    ) throws -> (caller: FakePlugin, first: FakePlugin, second: FakePlugin) {
        var traits = OperationTraits()
        traits.freeOfEffects = true
        traits.streamsOut = streams
        let target = PortCall.Target.feature("next", operation: "", fallback: fallback)
        let operations = [PortOperation("test.v1.Test/Run", traits)]
        let (_, caller) = try stage.port("a", calls: [PortCall("next/Run", target, traits)])
        let (b, first) = try stage.port("b", operations: operations)
        let (c, second) = try stage.port("c", operations: operations)
        stage.route(["next": .ordered([candidate(b), candidate(c)], skipped: nil)])
        return (caller, first, second)
    }

    private func fails(_ plugin: FakePlugin, _ error: CallError) {
        plugin.onInvoke = { plugin, request in
            plugin.fail(request.call, error)
            return THEATRE_OK
        }
    }

    private func state(_ profile: String) -> HealthState? {
        book.reports().first { $0.profile == profile }?.state
    }

    @Test func whoIsDownIsPassedOver() throws {
        let (caller, first, second) = try world()
        fails(first, Self.down)
        for _ in 0..<7 { _ = try caller.request(0, [5]).get() }
        #expect(caller.recorded.replies.map(\.code) == Array(repeating: THEATRE_OK, count: 7))
        #expect(first.recorded.calls.count == 5 && second.recorded.calls.count == 7)
        #expect(state("b") == .down && state("c") == .healthy)
        // It is mended, and tried by one call.
        first.onInvoke = { plugin, request in plugin.echo(request) }
        stage.clock.advance(milliseconds: 5000)
        for _ in 0..<2 { _ = try caller.request(0, [5]).get() }
        #expect(first.recorded.calls.count == 7 && state("b") == .healthy)
    }

    @Test func nobodyIsUpAndTheCallerLearnsWhen() throws {
        let (caller, first, second) = try world()
        fails(first, Self.down)
        fails(second, Self.down)
        for _ in 0..<6 { _ = caller.request(0, [5]) }
        let replies = caller.recorded.replies
        #expect(replies.map(\.reason) == Array(repeating: "content.unavailable", count: 5) + ["route.down"])
        #expect(first.recorded.calls.count == 5 && second.recorded.calls.count == 5)
    }

    /// An empty account is no reason to fall back by its code, but by the contract.
    @Test func theContractSaysWhatIsTheProviders() throws {
        let (caller, first, second) = try world()
        fails(first, CallError(.failedPrecondition, "content.quota", "Nothing is left."))
        for _ in 0..<3 { _ = try caller.request(0, [5]).get() }
        #expect(caller.recorded.replies.map(\.code) == [THEATRE_OK, THEATRE_OK, THEATRE_OK])
        #expect(first.recorded.calls.count == 2 && second.recorded.calls.count == 3)
    }

    @Test func whatTheCallerDoesWrongGoesNowhereElse() throws {
        let (caller, first, second) = try world()
        fails(first, CallError(.invalidArgument, "content.rejected", "There is no such model."))
        for _ in 0..<9 { _ = try caller.request(0, [5]).get() }
        #expect(first.recorded.calls.count == 9 && second.recorded.calls.isEmpty)
        #expect(state("b") == .healthy)
    }

    @Test func withoutFallbackTheFirstAloneIsAsked() throws {
        let (caller, first, second) = try world(fallback: false)
        fails(first, Self.down)
        for _ in 0..<6 { _ = caller.request(0, [5]) }
        #expect(caller.recorded.replies.last?.reason == "route.down")
        #expect(first.recorded.calls.count == 5 && second.recorded.calls.isEmpty)
    }

    @Test func aStreamIsHandedOnAndAgainstTheCallersCredit() throws {
        let (caller, first, _) = try world(streams: true)
        first.onInvoke = { _, _ in THEATRE_OK }
        let id = try caller.request(0, [5]).get()
        let call = try #require(first.recorded.calls.first)
        let whole = Int(THEATRE_STREAM_CREDIT)
        #expect(first.send(call, [UInt8](repeating: 1, count: whole), seq: 0) == THEATRE_OK)
        #expect(first.send(call, [2], seq: 1) == THEATRE_RESOURCE_EXHAUSTED)
        caller.credit(id, 10)
        #expect(first.send(call, [2], seq: 1, end: true) == THEATRE_OK)
        first.complete(call)
        #expect(caller.recorded.chunks.map(\.count) == [whole, 1])
        #expect(caller.recorded.replies.map(\.code) == [THEATRE_OK])
        #expect(state("b") == .healthy)
    }

    @Test func aStreamThatFailsBeforeItsFirstPartGoesElsewhere() throws {
        let (caller, first, second) = try world(streams: true)
        fails(first, Self.down)
        second.onInvoke = { plugin, request in
            _ = plugin.send(request.call, [7], seq: 0, end: true)
            plugin.complete(request.call)
            return THEATRE_OK
        }
        _ = try caller.request(0, [5]).get()
        #expect(caller.recorded.chunks == [[7]])
        #expect(caller.recorded.replies.map(\.code) == [THEATRE_OK])
    }

    /// Whoever fails at once has ended before the host knows its call by number, and the next is under way.
    @Test func whatTheCallerSaysReachesTheOneThatServes() throws {
        let (caller, first, second) = try world(streams: true)
        fails(first, Self.down)
        second.onInvoke = { _, _ in THEATRE_OK }
        second.onCancel = { plugin, call, _ in
            plugin.fail(call, CallError(.cancelled, "content.cancelled", "Given up."))
        }
        let id = try caller.request(0, [5]).get()
        let call = try #require(second.recorded.calls.first)
        #expect(second.send(call, [UInt8](repeating: 1, count: Int(THEATRE_STREAM_CREDIT)), seq: 0) == THEATRE_OK)
        caller.credit(id, 10)
        #expect(second.send(call, [2], seq: 1) == THEATRE_OK)
        caller.host.pointee.cancel(caller.host.pointee.ctx, id, THEATRE_CANCEL_CALLER)
        #expect(caller.recorded.replies.map(\.code) == [THEATRE_CANCELLED])
    }

    @Test func aStreamThatBreaksOffIsNotBegunAgain() throws {
        let (caller, first, second) = try world(streams: true)
        first.onInvoke = { plugin, request in
            _ = plugin.send(request.call, [7], seq: 0)
            plugin.fail(request.call, Self.down)
            return THEATRE_OK
        }
        _ = try caller.request(0, [5]).get()
        #expect(caller.recorded.replies.map(\.reason) == ["content.unavailable"])
        #expect(second.recorded.calls.isEmpty)
        #expect(book.reports().first { $0.profile == "b" }?.failures == 1)
    }

    @Test func whoGivesUpIsHeard() throws {
        let (caller, first, _) = try world()
        first.onInvoke = { _, _ in THEATRE_OK }
        first.onCancel = { plugin, call, _ in
            plugin.fail(call, CallError(.cancelled, "content.cancelled", "Given up."))
        }
        let id = try caller.request(0, [5]).get()
        caller.host.pointee.cancel(caller.host.pointee.ctx, id, THEATRE_CANCEL_CALLER)
        #expect(caller.recorded.replies.map(\.code) == [THEATRE_CANCELLED])
        #expect(state("b") == .unknown)
    }

    @Test func anotherGenerationBeginsAnew() throws {
        let (caller, first, _) = try world()
        fails(first, Self.down)
        for _ in 0..<5 { _ = try caller.request(0, [5]).get() }
        #expect(state("b") == .down)
        let (next, _) = try stage.port("b", generation: 2)
        stage.route(["next": .single(candidate(next))])
        #expect(state("b") == .unknown)
        _ = try caller.request(0, [5]).get()
        #expect(state("b") == .healthy)
    }
}
