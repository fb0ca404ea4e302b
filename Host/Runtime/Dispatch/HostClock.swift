// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import Synchronization

/// The clock of the whole host: what deadlines are measured by and what plugins read.
public protocol HostClock: AnyObject, Sendable {
    /// Nanoseconds that never go backwards.
    func monotonic() -> UInt64
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    func wall() -> UInt64
}

/// The machine's clock, which a test may put forward.
public final class SystemClock: HostClock {
    private let offset = Atomic<UInt64>(0)

    /// The machine's time.
    public init() {}

    /// Nanoseconds since some moment, with what was added.
    public func monotonic() -> UInt64 { theatre_clock_monotonic() &+ offset.load(ordering: .relaxed) }

    /// As ``monotonic()``, for durations and deadlines: two threads may be a little apart.
    @inline(__always)
    func monotonic(_ thread: ThreadPointer) -> UInt64 {
        theatre_clock_quick(thread) &+ offset.load(ordering: .relaxed)
    }

    /// Nanoseconds since 1970, with what was added.
    public func wall() -> UInt64 { theatre_clock_wall() &+ offset.load(ordering: .relaxed) }

    /// Puts both clocks forward; deadlines that have passed by then expire at the next sweep.
    public func advance(nanoseconds: UInt64) { offset.wrappingAdd(nanoseconds, ordering: .relaxed) }
}
