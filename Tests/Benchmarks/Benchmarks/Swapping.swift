// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Baseline
import FoundationEssentials
import Glibc
import NIOPosix
import Runtime
import Synchronization

/// 1,000 calls a second to a Swift plugin, without and with generations that follow each other ten times a second, each of
/// another build than the one before.
enum Swapping {
    private static let rate = 1000
    private static let seconds = 2
    private static let rounds = 5

    static func run(_ world: World, _ table: inout Table) async throws {
        var calm = Samples()
        var added = Samples()
        var swap = Samples()
        let folder = FileManager.default.temporaryDirectory.appending(path: "theatre-bench-builds-\(getpid())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer {
            do { try FileManager.default.removeItem(atPath: folder) } catch { print("\(folder) is left: \(error)") }
        }
        // With the one it runs, as many as a host keeps.
        let builds = try world.builds(of: "echo-pool", 3, in: folder)
        for _ in 0..<rounds {
            let before = try await paced(world)
            let isOver = Flag()
            async let swapped = NIOThreadPool.singleton.runIfActive { try swaps(world, builds, isOver) }
            let during = try await paced(world)
            isOver.value.store(true, ordering: .relaxed)
            for time in try await swapped { swap.add(time) }
            calm.add(before)
            added.add(max(0, during - before))
        }
        table.add(Row("1,000 calls a second, p99", unit: "ms", calm, target: ""))
        table.add(
            Row("added to p99 by 10 swaps a second", unit: "ms", added, target: "< 10 ms") { $0 < 10 })
        table.add(Row("one swap, until the new generation serves", unit: "ms", swap, target: ""))
    }

    /// p99 of the time from when a call was due until it was answered, in milliseconds.
    ///
    /// - Throws: where one call fails.
    private static func paced(_ world: World) async throws -> Double {
        try await NIOThreadPool.singleton.runIfActive {
            let sink = TimingSink(count: rate * seconds)
            // An empty theatre.http.v1.Request.
            let payload: [UInt8] = []
            let began = baseline_now()
            for number in 0..<(rate * seconds) {
                let due = began + UInt64(number) * 1_000_000_000 / UInt64(rate)
                wait(until: due)
                let target = try world.target("echo-pool")
                let call = TimedCall(sink: sink, due: due)
                payload.withUnsafeBytes {
                    _ = world.dispatcher.start(OutgoingCall(payload: $0, context: .system), on: target, sink: call)
                }
            }
            let last = baseline_now()
            while sink.isWaiting, baseline_now() - last < 10_000_000_000 { wait(until: baseline_now() + 1_000_000) }
            return try sink.percentile(0.99)
        }
    }

    /// Swaps until it is over; the time of each in milliseconds.
    private static func swaps(_ world: World, _ builds: [PluginFile], _ isOver: Flag) throws -> [Double] {
        var times: [Double] = []
        while !isOver.value.load(ordering: .relaxed) {
            let began = baseline_now()
            try world.replace("echo-pool", by: builds[times.count % builds.count])
            times.append(Double(baseline_now() - began) / 1_000_000)
            wait(until: began + 100_000_000)
        }
        return times
    }

    private static func wait(until time: UInt64) {
        let now = baseline_now()
        guard time > now else { return }
        var pause = timespec(tv_sec: Int((time - now) / 1_000_000_000), tv_nsec: Int((time - now) % 1_000_000_000))
        nanosleep(&pause, nil)
    }
}

private final class Flag: Sendable { let value = Atomic(false) }

/// Times of calls, however they end.
private final class TimingSink: Sendable {
    private let state: Mutex<(left: Int, times: [Double], failure: String?)>

    init(count: Int) { state = Mutex((count, [], nil)) }

    var isWaiting: Bool { state.withLock { $0.left > 0 } }

    func add(_ milliseconds: Double, _ failure: String?) {
        state.withLock { state in
            state.left -= 1
            state.times.append(milliseconds)
            if let failure { state.failure = failure }
        }
    }

    func percentile(_ part: Double) throws -> Double {
        let (left, times, failure) = state.withLock { $0 }
        if let failure { throw BenchmarkFailure("a call failed under a swap: \(failure)") }
        guard left == 0 else { throw BenchmarkFailure("\(left) calls were not answered") }
        return times.sorted()[Int(Double(times.count) * part)]
    }
}

private final class TimedCall: CallSink {
    private let sink: TimingSink
    private let due: UInt64

    init(sink: TimingSink, due: UInt64) {
        self.sink = sink
        self.due = due
    }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        sink.add(Double(baseline_now() - due) / 1_000_000, result.error.map { "\($0)" })
    }
}
