// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
internal import Synchronization

/// The time that services go by, and wake-ups by it. A test moves it by hand.
public protocol ServiceClock: Sendable {
    /// Milliseconds since 1970.
    var wall: Int64 { get }
    /// The host's monotonic clock in nanoseconds, by which calls have their deadlines.
    var monotonic: UInt64 { get }
    /// Calls `body` once on any thread, not before `milliseconds` have passed.
    func wake(after milliseconds: Int64, _ body: @escaping @Sendable () -> Void) -> any PendingWake
}

/// A wake-up to come.
public protocol PendingWake: Sendable {
    /// Takes it back; harmless once it came.
    func cancel()
}

/// A clock over the host's two clocks, whose wake-ups run on an event loop.
public struct LoopClock: ServiceClock {
    private let loop: any EventLoop
    private let wallMilliseconds: @Sendable () -> Int64
    private let monotonicNanoseconds: @Sendable () -> UInt64

    /// A clock that wakes on `loop`.
    public init(
        loop: any EventLoop, wall: @escaping @Sendable () -> Int64, monotonic: @escaping @Sendable () -> UInt64
    ) {
        self.loop = loop
        wallMilliseconds = wall
        monotonicNanoseconds = monotonic
    }

    /// Milliseconds since 1970.
    public var wall: Int64 { wallMilliseconds() }
    /// Nanoseconds.
    public var monotonic: UInt64 { monotonicNanoseconds() }

    /// Schedules on the loop; real time, also where the host's clock was moved.
    public func wake(after milliseconds: Int64, _ body: @escaping @Sendable () -> Void) -> any PendingWake {
        LoopWake(task: loop.scheduleTask(in: .milliseconds(max(0, milliseconds)), body))
    }
}

private struct LoopWake: PendingWake {
    let task: Scheduled<Void>
    func cancel() { task.cancel() }
}
