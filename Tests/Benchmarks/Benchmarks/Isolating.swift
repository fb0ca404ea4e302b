// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Baseline
import FoundationEssentials
import Glibc
import Runtime
import Synchronization

/// Calls to plugins in processes of their own, against two C processes that do nothing but pass the bytes.
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
    private static func calls(
        _ dispatcher: Dispatcher, _ target: CallTarget, window: Int, count: Int
    ) throws -> Double {
        let sink = LoopSink(dispatcher, target, count: count, size: size)
        let spent = nanoseconds(count) { sink.run(window: window) }
        guard sink.failed.load(ordering: .relaxed) == 0 else { throw BenchmarkFailure("calls failed") }
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
                let sink = LoopSink(world.dispatcher, target, count: 1, size: 0)
                sink.run(window: 1)
                if sink.failed.load(ordering: .relaxed) == 0 { break }
            }
            spent.add(Double(baseline_now() - began) / 1e6)
        }
        table.add(
            Row("crash of an isolated Swift plugin to the next answer", unit: "ms", spent, target: "< 40 ms") {
                $0 < 40
            })
    }
}

/// Starts a call for each that ends, until there were enough.
private final class LoopSink: CallSink, @unchecked Sendable {
    // `payload` lives as long as this; the rest is atomic or constant.
    let failed = Atomic<Int>(0)
    private let dispatcher: Dispatcher
    private let target: CallTarget
    private let payload: UnsafeMutableRawBufferPointer
    private let unstarted: Atomic<Int>
    private let unended: Atomic<Int>
    private let done = Latch()

    init(_ dispatcher: Dispatcher, _ target: CallTarget, count: Int, size: Int) {
        self.dispatcher = dispatcher
        self.target = target
        payload = .allocate(byteCount: size, alignment: 8)
        payload.initializeMemory(as: UInt8.self, repeating: 0)
        unstarted = Atomic(count)
        unended = Atomic(count)
    }

    deinit { payload.deallocate() }

    func run(window: Int) {
        for _ in 0..<window { next() }
        done.wait()
    }

    private func next() {
        guard unstarted.wrappingSubtract(1, ordering: .relaxed).newValue >= 0 else { return }
        var call = OutgoingCall(payload: UnsafeRawBufferPointer(payload), context: .system)
        call.timeout = 20_000_000_000
        _ = dispatcher.start(call, on: target, sink: self)
    }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        if result.error != nil { failed.wrappingAdd(1, ordering: .relaxed) }
        if unended.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { return done.open() }
        next()
    }
}
