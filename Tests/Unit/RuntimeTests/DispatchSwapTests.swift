// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import Synchronization
import Testing

@testable import Runtime

private final class Flag: Sendable { let value = Atomic(false) }

/// One generation takes over from another while calls are under way. `front` calls `next` twice for each call it serves.
@Suite struct DispatchSwapTests {
    private let dispatcher = Dispatcher(clock: StillClock())
    private let front: InstancePort
    private let frontPlugin: FakePlugin

    init() throws {
        let next = PortCall.Target.feature("next", operation: "test.v1.Test/Run", fallback: false)
        (front, frontPlugin) = try Self.port(dispatcher, "front", 1, calls: [PortCall("next/Run", next)])
    }

    private static func port(
        _ dispatcher: Dispatcher, _ name: String, _ generation: UInt32, calls: [PortCall] = []
    ) throws -> (InstancePort, FakePlugin) {
        let identity = InstanceIdentity(
            instance: name, plugin: "Fake", generation: generation, grants: ResolvedGrants())
        var limits = InstancePort.Limits()
        limits.maxConcurrency = 10_000
        let port = dispatcher.makePort(
            identity, operations: [PortOperation("test.v1.Test/Run")], calls: calls, limits: limits)
        let plugin = FakePlugin(port.hostTable)
        try port.attach(plugin.table)
        port.open()
        return (port, plugin)
    }

    /// A generation that answers with its number.
    private func generation(_ number: UInt32) throws -> InstancePort {
        let (port, plugin) = try Self.port(dispatcher, "next", number)
        plugin.onInvoke = { plugin, request in
            plugin.complete(request.call, [UInt8(truncatingIfNeeded: number)])
            return THEATRE_OK
        }
        return port
    }

    private func install(_ next: InstancePort, replacing old: [InstancePort] = []) {
        let candidate = RouteCandidate(port: next, operation: 0, profile: "next")
        dispatcher.install(
            DispatchTable(ports: ["front": front, "next": next], routing: FixedRouting(["next": .single(candidate)])),
            replacing: old)
    }

    /// It read which table serves, and two swaps came before it was let in.
    @Test func aCallWhoseOwnGenerationWasReplacedTooGoesToTheOneThatServes() throws {
        let generations = try (1...3).map { try generation(UInt32($0)) }
        install(generations[0])
        install(generations[1], replacing: [generations[0]])
        let table = Unmanaged.passUnretained(dispatcher.serving)
        install(generations[2], replacing: [generations[1]])
        for old in generations.prefix(2) { old.retire() }
        let (port, _) = try dispatcher.successor(of: generations[0], 0, in: table)
        #expect(port === generations[2])
    }

    /// `front` answers with what both of its calls were answered; `between` runs after the first.
    private func callsTwice(between: @escaping @Sendable () -> Void) {
        let answers = Mutex<[UInt64: [UInt8]]>([:])
        frontPlugin.onReply = { _, id, _, payload, reason in
            answers.withLock { $0[id] = reason.isEmpty ? payload : Array(reason.utf8) }
        }
        frontPlugin.onInvoke = { plugin, request in
            var both: [UInt8] = []
            for _ in 0..<2 {
                guard case .success(let id) = plugin.request(0, on: request.call) else { return THEATRE_INTERNAL }
                both += answers.withLock { $0.removeValue(forKey: id) } ?? [0xff]
                between()
            }
            plugin.complete(request.call, both)
            return THEATRE_OK
        }
    }

    private func call(_ instance: String = "front") throws -> Recorder.Ended {
        let sink = Recorder()
        let target = try dispatcher.target(instance: instance, operation: "test.v1.Test/Run")
        _ = [].withUnsafeBytes {
            dispatcher.start(OutgoingCall(payload: $0, context: .system), on: target, sink: sink)
        }
        return try #require(sink.ended.first)
    }

    @Test func aRequestStaysWithTheGenerationItBeganWith() throws {
        let first = try generation(1), second = try generation(2)
        let dispatcher = dispatcher
        install(first)
        let isSwapped = Mutex(false)
        let seen = Mutex<[Bool]>([])
        let swap: @Sendable () -> Void = { [self] in
            let isFirst = isSwapped.withLock { swapped in
                defer { swapped = true }
                return !swapped
            }
            if isFirst { install(second, replacing: [first]) }
            let number = dispatcher.serving.number.load(ordering: .relaxed)
            seen.withLock {
                $0.append(dispatcher.hasCalls(before: number, among: ["front"]))
                $0.append(dispatcher.hasCalls(before: number, among: ["next"]))
            }
        }
        callsTwice(between: swap)
        #expect(try call() == .init(payload: [1, 1], error: nil))
        #expect(seen.withLock { $0 } == [true, false, true, false], "only a call of `front` is still of the old table")
        #expect(try call() == .init(payload: [2, 2], error: nil))
        #expect(!dispatcher.hasCalls(before: dispatcher.serving.number.load(ordering: .relaxed), among: ["front"]))
    }

    @Test func aTargetOfARetiredGenerationLeadsToTheOneThatServes() throws {
        let first = try generation(1), second = try generation(2)
        install(first)
        let target = try dispatcher.target(instance: "next", operation: "test.v1.Test/Run")
        install(second, replacing: [first])
        for isRetired in [false, true] {
            if isRetired { first.retire() }
            let sink = Recorder()
            _ = [].withUnsafeBytes {
                dispatcher.start(OutgoingCall(payload: $0, context: .system), on: target, sink: sink)
            }
            #expect(sink.ended == [.init(payload: [2], error: nil)])
        }
        #expect(first.callsOutstanding == 0)
    }

    @Test func whereNobodyTakesOverTheRefusalIsTold() throws {
        let first = try generation(1)
        install(first)
        let target = try dispatcher.target(instance: "next", operation: "test.v1.Test/Run")
        dispatcher.install(DispatchTable(ports: ["front": front], closed: ["next": "Off."]), replacing: [first])
        first.retire()
        let sink = Recorder()
        _ = [].withUnsafeBytes { dispatcher.start(OutgoingCall(payload: $0, context: .system), on: target, sink: sink) }
        #expect(sink.error?.reason == "instance.retired")
    }

    /// Threads call without a pause while generation follows generation.
    @Test func underLoadNoCallFailsAndNoneSeesTwoGenerations() async throws {
        callsTwice {}
        let generations = try (1...100).map { try generation($0) }
        install(generations[0])
        let isOver = Flag()
        let results = await withTaskGroup(of: [Recorder.Ended].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var ended: [Recorder.Ended] = []
                    while !isOver.value.load(ordering: .relaxed) || ended.count < 500 {
                        if let one = try? call() { ended.append(one) }
                        await Task.yield()
                    }
                    return ended
                }
            }
            for (old, new) in zip(generations, generations.dropFirst()) {
                install(new, replacing: [old])
                let number = dispatcher.serving.number.load(ordering: .relaxed)
                var quiet = 0
                while quiet < 2 {
                    quiet = dispatcher.hasCalls(before: number, among: ["front"]) ? 0 : quiet + 1
                    await Task.yield()
                }
                old.retire()
            }
            isOver.value.store(true, ordering: .relaxed)
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(results.count >= 2000)
        #expect(results.allSatisfy { $0.error == nil && $0.payload.count == 2 })
        #expect(results.allSatisfy { Set($0.payload).count == 1 })
        #expect(generations.dropLast().allSatisfy { $0.callsOutstanding == 0 })
    }
}
