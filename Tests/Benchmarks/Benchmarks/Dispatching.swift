// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Baseline
import Runtime
import Synchronization

/// A call to a C plugin that completes inline, against a C function pointer that allocates, copies and frees.
enum Dispatching {
    private static let count = 20_000
    private static let size = 256

    static func run(_ world: World, _ table: inout Table) throws {
        let payload = [UInt8](repeating: 0, count: size)
        var bare = Samples()
        var routed = Samples()
        var direct = Samples()
        let caller = try world.target("caller")
        let echo = try world.target("echo-c")
        let before = world.spans.count.load(ordering: .relaxed)
        for round in 0..<60 {
            let a = nanoseconds(count) {
                _ = payload.withUnsafeBufferPointer { baseline_calls($0.baseAddress, size, UInt64(count)) }
            }
            let b = try nanoseconds(count) { try routedCalls(world.dispatcher, caller, payload) }
            let c = try nanoseconds(count) { try directCalls(world.dispatcher, echo, payload) }
            guard round > 1 else { continue }
            bare.add(a)
            routed.add(b)
            direct.add(c)
        }
        guard world.spans.count.load(ordering: .relaxed) > before else {
            throw BenchmarkFailure("no span was exported")
        }
        table.add(
            Row(
                "plugin to C plugin by registry and dispatcher, 256 B", unit: "ns", bare: bare, routed, target: "<= 20x"
            ) {
                $0 <= 20
            })
        table.add(
            Row("host to C plugin by dispatcher, 256 B", unit: "ns", bare: bare, direct, target: "<= 20x") { $0 <= 20 })
    }

    /// One call into the calling plugin, which makes `count` of its own.
    private static func routedCalls(_ dispatcher: Dispatcher, _ target: CallTarget, _ payload: [UInt8]) throws {
        var number = UInt64(count)
        let message = withUnsafeBytes(of: &number) { Array($0) } + payload
        let sink = CountingSink()
        message.withUnsafeBytes { bytes in
            _ = dispatcher.start(OutgoingCall(payload: bytes, context: .system), on: target, sink: sink)
        }
        guard sink.answered == 1, sink.first == number else {
            throw BenchmarkFailure("\(sink.first) of \(number) calls were answered")
        }
    }

    private static func directCalls(_ dispatcher: Dispatcher, _ target: CallTarget, _ payload: [UInt8]) throws {
        let sink = CountingSink()
        let deadline = dispatcher.clock.monotonic() + 20_000_000_000
        payload.withUnsafeBytes { bytes in
            for _ in 0..<count {
                var call = OutgoingCall(payload: bytes, context: .system)
                call.deadline = deadline
                _ = dispatcher.start(call, on: target, sink: sink)
            }
        }
        guard sink.answered == count else { throw BenchmarkFailure("\(sink.answered) of \(count) calls were answered") }
    }
}

/// Counts answers on one thread.
private final class CountingSink: CallSink, @unchecked Sendable {
    // Written by inline completions on the thread that reads it.
    private(set) var answered = 0
    private(set) var first: UInt64 = 0

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        guard result.error == nil else { return }
        answered += 1
        if result.payload.count >= 8 { first = result.payload.loadUnaligned(as: UInt64.self) }
    }
}
