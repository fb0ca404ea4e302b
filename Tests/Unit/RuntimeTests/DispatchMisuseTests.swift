// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import Synchronization
import Testing

@testable import Runtime

/// What is told of calls that are not completed as they must be.
@Suite struct DispatchMisuseTests {
    let stage = Stage()
    private let told = Told()

    private var hooks: InstancePort.Hooks {
        var hooks = InstancePort.Hooks()
        let told = told
        hooks.onMisuse = { identity, misuse in told.add("\(identity.plugin)/\(identity.instance)", misuse) }
        return hooks
    }

    @Test func theFirstOfAKindIsToldAtOnceAndTheRestOnceAMinuteWithTheirNumber() throws {
        let (port, plugin) = try stage.port("a", hooks: hooks)
        plugin.onInvoke = { plugin, request in
            plugin.complete(request.call)
            plugin.complete(request.call)
            return THEATRE_OK
        }
        for _ in 0..<5 { try stage.start("a", Recorder()) }
        stage.clock.advance(milliseconds: 59_999)
        try stage.start("a", Recorder())
        #expect(told.counts(.double) == [1])
        stage.clock.advance(milliseconds: 1)
        for _ in 0..<3 { try stage.start("a", Recorder()) }
        #expect(told.counts(.double) == [1, 6])
        #expect(port.snapshot().double == 9)
        let first = try #require(told.all.first)
        #expect(first.who == "Fake/a")
        #expect(first.misuse.operation == "test.v1.Test/Run")
        #expect(first.misuse.expected == "one completion of each call")
        #expect(first.misuse.found == "one more of a call that had ended; it was dropped")
        #expect(first.misuse.fix == "complete a call once, and not at all where invoke rejected it")
    }

    @Test func aCallThatNeverEndsAndThenEndsLateIsToldAsBoth() throws {
        let (port, plugin) = try stage.port("a", hooks: hooks)
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let id = try stage.start("a", "test.v1.Test/Run", [], Recorder(), timeout: 100)
        stage.clock.advance(milliseconds: 100)
        stage.dispatcher.sweep()
        #expect(told.all.map(\.misuse.kind) == [.never])
        #expect(
            told.all.first?.misuse.found
                == "none within 100 ms; 1 such calls are open, with more than 64 the instance is closed")
        stage.clock.advance(milliseconds: 30)
        plugin.complete(id.rawValue)
        #expect(told.all.map(\.misuse.kind) == [.never, .late])
        #expect(told.all.last?.misuse.found == "one 30 ms after it; it was dropped")
        #expect(told.all.allSatisfy { $0.misuse.operation == "test.v1.Test/Run" })
        #expect(port.snapshot().late == 1)
    }

    @Test func anothersCallIsToldOfWhoCompletedIt() throws {
        let (_, plugin) = try stage.port("a", hooks: hooks)
        let (_, thief) = try stage.port("b", hooks: hooks)
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let id = try stage.start("a", Recorder())
        thief.complete(id.rawValue)
        thief.complete(UInt64.max)
        #expect(told.all.map(\.who) == ["Fake/b"])
        #expect(told.all.map(\.misuse.kind) == [.foreign])
        #expect(told.all.first?.misuse.operation == "")
        plugin.complete(id.rawValue)
    }

    @Test func aCallCompletedAgainAfterItsSlotWasGivenOnIsDoubleOfNoKnownOperation() throws {
        let (_, plugin) = try stage.port("a", hooks: hooks)
        plugin.onInvoke = { _, _ in THEATRE_OK }
        let id = try stage.start("a", Recorder())
        plugin.complete(id.rawValue)
        plugin.complete(id.rawValue)
        #expect(told.all.map(\.misuse.kind) == [.double])
        #expect(told.all.first?.misuse.operation == "")
    }

    @Test(arguments: [
        (UInt32(4), UInt64(0), Int32(0), "a result of struct_size 4; it has 32"),
        (32, 10, 0, "a payload of 10 bytes at no address"),
        (32, 0, THEATRE_ABORTED, "code 10 without an error"),
    ])
    func aBrokenResultIsToldWithWhatIsWrongWithIt(size: UInt32, payload: UInt64, code: Int32, found: String) throws {
        let (port, plugin) = try stage.port("a", hooks: hooks)
        plugin.onInvoke = { plugin, request in
            var result = theatre_result()
            result.struct_size = size
            result.payload.size = payload
            result.code = code
            _ = plugin.raw(request.call, &result)
            return THEATRE_OK
        }
        try stage.start("a", Recorder())
        #expect(told.all.map(\.misuse.kind) == [.malformed])
        #expect(told.all.first?.misuse.found == found)
        #expect(port.snapshot().malformed == 1)
    }

    @Test func callsThatEndWellAreToldNothingOf() throws {
        let (_, plugin) = try stage.port("a", hooks: hooks)
        try stage.start("a", Recorder())
        plugin.onInvoke = { plugin, request in
            plugin.fail(request.call, CallError(.aborted, "test.busy", "It is busy."))
        }
        try stage.start("a", Recorder())
        #expect(told.all.isEmpty)
    }
}

/// Remembers what was told.
private final class Told: Sendable {
    private let state = Mutex<[(who: String, misuse: CallMisuse)]>([])
    var all: [(who: String, misuse: CallMisuse)] { state.withLock { $0 } }
    func add(_ who: String, _ misuse: CallMisuse) { state.withLock { $0.append((who, misuse)) } }
    func counts(_ kind: CallMisuse.Kind) -> [UInt64] {
        all.filter { $0.misuse.kind == kind }.map(\.misuse.count)
    }
}
