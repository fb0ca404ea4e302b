// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Runtime

@Suite struct DispatchCompletionTests {
    let stage = Stage()

    @Test func inlineCompletionComesOnceWithItsPayload() throws {
        let (port, _) = try stage.port("a")
        let sink = Recorder()
        try stage.start("a", "test.v1.Test/Run", [7, 8], sink)
        #expect(sink.ended == [.init(payload: [7, 8], error: nil)])
        #expect(port.callsInFlight == 0)
        #expect(port.callsOutstanding == 0)
    }

    @Test func secondCompletionIsCountedAndDropped() throws {
        let (port, plugin) = try stage.port("a")
        let answers = Mutex<[Int32]>([])
        plugin.onInvoke = { plugin, request in
            for _ in 0..<3 {
                let code = plugin.complete(request.call, [1])
                answers.withLock { $0.append(code) }
            }
            return THEATRE_OK
        }
        let sink = Recorder()
        try stage.start("a", sink)
        #expect(sink.ended.count == 1)
        #expect(answers.withLock { $0 } == [THEATRE_OK, THEATRE_NOT_FOUND, THEATRE_NOT_FOUND])
        #expect(port.snapshot().double == 2)
    }

    @Test func rejectionAfterCompletionIsCountedAndDropped() throws {
        let (port, plugin) = try stage.port("a")
        plugin.onInvoke = { plugin, request in
            plugin.complete(request.call, [1])
            return THEATRE_UNAVAILABLE
        }
        let sink = Recorder()
        try stage.start("a", sink)
        #expect(sink.ended == [.init(payload: [1], error: nil)])
        #expect(port.snapshot().double == 1)
    }

    @Test func rejectionIsTheCallersErrorWithoutEffect() throws {
        let (port, plugin) = try stage.port("a")
        plugin.onInvoke = { _, _ in THEATRE_RESOURCE_EXHAUSTED }
        let sink = Recorder()
        try stage.start("a", sink)
        #expect(sink.error?.code == .resourceExhausted)
        #expect(sink.error?.effect == CallError.Effect.none)
        #expect(sink.error?.retry == .safe)
        #expect(port.callsOutstanding == 0)
    }

    @Test func completionThroughAnotherInstanceIsForeign() throws {
        let (_, plugin) = try stage.port("a")
        let (thief, other) = try stage.port("b")
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let sink = Recorder()
        let id = try stage.start("a", sink)
        #expect(other.complete(id.rawValue) == THEATRE_NOT_FOUND)
        #expect(other.complete(UInt64.max) == THEATRE_NOT_FOUND)
        #expect(other.complete(0) == THEATRE_NOT_FOUND)
        #expect(sink.ended.isEmpty)
        #expect(thief.snapshot().foreign >= 1)
        #expect(plugin.complete(id.rawValue) == THEATRE_OK)
        #expect(sink.ended.count == 1)
    }

    enum Garbage: String, CaseIterable { case noPayload, unknownCode, noError, smallStruct, otherCode, none }

    @Test(arguments: Garbage.allCases) func malformedResultBecomesInternal(_ garbage: Garbage) throws {
        var traits = OperationTraits()
        traits.sideEffect = true
        let (port, plugin) = try stage.port("a", operations: [PortOperation("test.v1.Test/Run", traits)])
        let code = Mutex<Int32>(0)
        plugin.onInvoke = { plugin, request in
            var result = theatre_result()
            result.struct_size = UInt32(MemoryLayout<theatre_result>.size)
            var error = theatre_error()
            error.struct_size = UInt32(MemoryLayout<theatre_error>.size)
            error.code = THEATRE_ABORTED
            withUnsafePointer(to: error) { pointer in
                switch garbage {
                case .noPayload: result.payload.size = 10
                case .unknownCode: result.code = 77
                case .noError: result.code = THEATRE_ABORTED
                case .smallStruct: result.struct_size = 8
                case .otherCode:
                    result.code = THEATRE_NOT_FOUND
                    result.error = pointer
                case .none: break
                }
                let answer =
                    garbage == .none
                    ? plugin.host.pointee.complete(plugin.host.pointee.ctx, request.call, nil)
                    : plugin.raw(request.call, &result)
                code.withLock { $0 = answer }
            }
            return THEATRE_OK
        }
        let sink = Recorder()
        try stage.start("a", sink)
        #expect(sink.error?.reason == "plugin.malformed_result")
        #expect(sink.error?.effect == .unknown)
        #expect(code.withLock { $0 } == THEATRE_INVALID_ARGUMENT)
        #expect(port.snapshot().malformed == 1)
    }

    @Test(arguments: [Int32(17), 77, -1, .max]) func unknownCodeReadsAsUnknown(_ code: Int32) throws {
        let (port, plugin) = try stage.port("a")
        plugin.onInvoke = { plugin, request in
            CallError(.aborted, "test.strange", "It is strange.", effect: .applied).withCError { error in
                error.code = code
                return withUnsafePointer(to: &error) { pointer in
                    var result = theatre_result()
                    result.struct_size = UInt32(MemoryLayout<theatre_result>.size)
                    result.code = code
                    result.error = pointer
                    return plugin.raw(request.call, &result)
                }
            }
        }
        let sink = Recorder()
        try stage.start("a", sink)
        #expect(sink.error?.code == .unknown)
        #expect(sink.error?.reason == "test.strange")
        #expect(sink.error?.message == "It is strange. (The plugin answered with code \(code).)")
        #expect(sink.error?.effect == .applied)
        #expect(port.snapshot().malformed == 0)
    }

    @Test func expiredCallIsAnsweredOnceAndItsLateCompletionDropped() throws {
        var traits = OperationTraits()
        traits.sideEffect = true
        let (port, plugin) = try stage.port("a", operations: [PortOperation("test.v1.Test/Run", traits)])
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let sink = Recorder()
        let id = try stage.start("a", "test.v1.Test/Run", [], sink, timeout: 100)
        stage.clock.advance(milliseconds: 99)
        stage.dispatcher.sweep()
        #expect(sink.ended.isEmpty)
        stage.clock.advance(milliseconds: 1)
        stage.dispatcher.sweep()
        stage.dispatcher.sweep()
        #expect(sink.ended.count == 1)
        #expect(sink.error?.reason == "call.deadline")
        #expect(sink.error?.effect == .unknown)
        #expect(plugin.recorded.cancels == [THEATRE_CANCEL_DEADLINE])
        #expect(port.snapshot().orphans == 1)
        #expect(!plugin.isLive(id.rawValue))
        #expect(plugin.complete(id.rawValue) == THEATRE_NOT_FOUND)
        #expect(port.snapshot().orphans == 0)
        #expect(port.snapshot().late == 1)
        #expect(port.callsOutstanding == 0)
    }

    @Test func defaultDeadlineOfTheOperationHolds() throws {
        var traits = OperationTraits()
        traits.defaultTimeout = 50_000_000
        let (_, plugin) = try stage.port("a", operations: [PortOperation("test.v1.Test/Run", traits)])
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let sink = Recorder()
        try stage.start("a", sink)
        stage.clock.advance(milliseconds: 50)
        stage.dispatcher.sweep()
        #expect(sink.error?.code == .deadlineExceeded)
        #expect(sink.error?.effect == CallError.Effect.none)
    }

    @Test func tooManyOrphansQuarantineTheInstance() throws {
        var limits = InstancePort.Limits()
        limits.orphanCap = 2
        var hooks = InstancePort.Hooks()
        let reasons = Mutex<[String]>([])
        let record: @Sendable (String) -> Void = { reason in reasons.withLock { $0.append(reason) } }
        hooks.onQuarantine = { _, reason in record(reason) }
        let (_, plugin) = try stage.port("a", limits: limits, hooks: hooks)
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let sink = Recorder()
        for _ in 0..<4 { try stage.start("a", "test.v1.Test/Run", [], sink, timeout: 10) }
        stage.clock.advance(milliseconds: 10)
        stage.dispatcher.sweep()
        #expect(sink.ended.count == 4)
        #expect(reasons.withLock { $0.count } == 1)
        #expect(throws: CallError.self) { try stage.start("a", sink) }
    }

    @Test func callsAboveTheLimitAreRefusedAsBusy() throws {
        var limits = InstancePort.Limits()
        limits.maxConcurrency = 2
        let (_, plugin) = try stage.port("a", limits: limits)
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let first = Recorder()
        let id = try stage.start("a", first)
        try stage.start("a", Recorder())
        let third = Recorder()
        #expect(try stage.start("a", third) == .none)
        #expect(third.error?.reason == "instance.busy")
        #expect(third.error?.retry == .safe)
        plugin.complete(id.rawValue)
        let fourth = Recorder()
        try stage.start("a", fourth)
        #expect(fourth.ended.isEmpty)
    }

    @Test func drainEndsWithTheLastCall() throws {
        let (port, plugin) = try stage.port("a")
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let sink = Recorder()
        let id = try stage.start("a", sink)
        let target = try stage.dispatcher.target(instance: "a", operation: "test.v1.Test/Run")
        port.retire()
        let drained = Mutex(0)
        port.drain { drained.withLock { $0 += 1 } }
        #expect(drained.withLock { $0 } == 0)
        let refused = Recorder()
        stage.dispatcher.start(
            OutgoingCall(payload: UnsafeRawBufferPointer(start: nil, count: 0), context: .system), on: target,
            sink: refused)
        #expect(refused.error?.reason == "instance.retired")
        stage.dispatcher.cancelCalls(servedBy: port)
        #expect(plugin.recorded.cancels == [THEATRE_CANCEL_DRAIN])
        plugin.complete(id.rawValue)
        #expect(drained.withLock { $0 } == 1)
        #expect(sink.ended.count == 1)
        port.drain { drained.withLock { $0 += 1 } }
        #expect(drained.withLock { $0 } == 2)
    }

    @Test func hostIsNamedAsCaller() throws {
        let (_, plugin) = try stage.port("a")
        let context = CallContext(HostContext.with { $0.tenant = "t1" })
        try stage.start("a", "test.v1.Test/Run", [], Recorder(), context: context)
        let seen = try HostContext(serializedBytes: try #require(plugin.recorded.contexts.first))
        #expect(seen.caller == "host")
        #expect(seen.tenant == "t1")
    }
}

extension Stage {
    @discardableResult
    func start(_ name: String, _ sink: Recorder) throws -> CallID {
        try start(name, "test.v1.Test/Run", [1, 2, 3], sink)
    }
}
