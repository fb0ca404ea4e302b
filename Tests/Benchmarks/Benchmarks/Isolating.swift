// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Baseline
import FoundationEssentials
import Glibc
import Runtime
import Synchronization

/// Calls to plugins in processes of their own, against two C processes that do what any two must: read as much as there is,
/// look at each header, copy each payload, answer, and write what came of one read at once.
enum Isolating {
    private static let size = 256

    static func run(_ world: World, _ table: inout Table) throws {
        let echo = try world.target("echo-c")
        for (window, count, limit) in [(1, 4000, 2.5), (64, 40_000, 2.0)] as [(Int, Int, Double)] {
            var bare = Samples()
            var measured = Samples()
            for round in 0..<15 {
                let a = baseline_ping_pong(size, window, count)
                guard a > 0 else { throw BenchmarkFailure("two processes could not be connected") }
                let b = try calls(world.dispatcher, echo, window: window, count: count)
                guard round > 1 else { continue }
                bare.add(a / 1000)
                measured.add(b / 1000)
            }
            table.add(
                Row(
                    "isolated call to a C plugin, 256 B, \(window) in flight", unit: "us", bare: bare, measured,
                    target: "<= \(limit)x"
                ) { $0 <= limit })
        }
        try crashes(world, &table)
    }

    /// Nanoseconds a call, with `window` of them under way at any time.
    static func calls(
        _ dispatcher: Dispatcher, _ target: CallTarget, window: Int, count: Int
    ) throws -> Double {
        let sink = LoopSink(dispatcher, target, window: window, count: count, size: size)
        var succeeded = false
        let spent = nanoseconds(count) { succeeded = sink.run() }
        guard succeeded else { throw BenchmarkFailure("calls failed") }
        return spent
    }

    /// From the end of a Swift plugin's process to the next answer of the instance.
    private static func crashes(_ world: World, _ table: inout Table) throws {
        var spent = Samples()
        for _ in 0..<8 {
            guard let process = world.process(of: "echo-pool") else { throw BenchmarkFailure("there is no process") }
            let began = baseline_now()
            kill(process, SIGKILL)
            while true {
                guard baseline_now() - began < 10_000_000_000 else { throw BenchmarkFailure("it did not come back") }
                guard world.process(of: "echo-pool") != process, let target = try? world.target("echo-pool") else {
                    sched_yield()
                    continue
                }
                // Nothing at all is an empty request.
                if LoopSink(world.dispatcher, target, window: 1, count: 1, size: 0).run() { break }
            }
            spent.add(Double(baseline_now() - began) / 1e6)
        }
        table.add(
            Row("crash of an isolated Swift plugin to the next answer", unit: "ms", spent, target: "< 40 ms") {
                $0 < 40
            })
    }
}

/// Makes calls one after the other, as often as there are chains of them at once.
private final class LoopSink: Sendable {
    private let chains: [Chain]
    private let done: Latch

    init(_ dispatcher: Dispatcher, _ target: CallTarget, window: Int, count: Int, size: Int) {
        let done = Latch()
        let unended = Unended(window, done)
        chains = (0..<window).map { place in
            Chain(dispatcher, target, unended, count: count / window + (place < count % window ? 1 : 0), size: size)
        }
        self.done = done
    }

    /// Whether all calls succeeded.
    func run() -> Bool {
        for chain in chains { chain.start() }
        done.wait()
        return !chains.contains { $0.hasFailed }
    }
}

/// The chains that have not come to their end.
private final class Unended: Sendable {
    private let count: Atomic<Int>
    private let done: Latch

    init(_ count: Int, _ done: Latch) {
        self.count = Atomic(count)
        self.done = done
    }

    func end() {
        if count.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { done.open() }
    }
}

/// Starts the next call when the last has ended. As the two processes of the baseline, it counts without atomic
/// operations.
private final class Chain: CallSink, @unchecked Sendable {
    // `left` and `hasFailed` change only where a call ends, of which there is one at a time; `run` reads the latter
    // after the last. `payload` lives as long as this.
    private(set) var hasFailed = false
    private var left: Int
    private let call: OutgoingCall
    private let dispatcher: Dispatcher
    private let target: CallTarget
    private let unended: Unended
    private let payload: UnsafeMutableRawBufferPointer

    init(_ dispatcher: Dispatcher, _ target: CallTarget, _ unended: Unended, count: Int, size: Int) {
        self.dispatcher = dispatcher
        self.target = target
        self.unended = unended
        left = count
        payload = .allocate(byteCount: size, alignment: 8)
        payload.initializeMemory(as: UInt8.self, repeating: 0)
        var call = OutgoingCall(payload: UnsafeRawBufferPointer(payload), context: .system)
        call.timeout = 20_000_000_000
        self.call = call
    }

    deinit { payload.deallocate() }

    func start() { _ = dispatcher.start(call, on: target, sink: self) }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        if result.error != nil { hasFailed = true }
        left -= 1
        if left > 0 { start() } else { unended.end() }
    }
}
