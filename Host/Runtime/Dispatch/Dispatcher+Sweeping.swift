// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import Synchronization

extension Dispatcher {
    /// Nanoseconds between two looks at the deadlines.
    static let sweepInterval: UInt64 = 5_000_000

    /// Starts the thread that enforces deadlines. It keeps the dispatcher until ``stopSweeping()``.
    ///
    /// - Throws: INTERNAL `host.thread` where the system gives no thread.
    public func startSweeping() throws(CallError) {
        isSweeping.store(true, ordering: .releasing)
        let retained = Unmanaged.passRetained(self)
        let failure = theatre_thread_start(
            "theatre-sweep",
            { raw in
                guard let raw else { return }
                let dispatcher = Unmanaged<Dispatcher>.fromOpaque(raw).takeRetainedValue()
                while dispatcher.isSweeping.load(ordering: .acquiring) {
                    dispatcher.sweep()
                    dispatcher.flushSpans()
                    theatre_clock_pause(Dispatcher.sweepInterval)
                }
            }, retained.toOpaque())
        guard failure == 0 else {
            retained.release()
            throw CallError(.internal, "host.thread", "The system gave no thread for deadlines: error \(failure).")
        }
    }

    /// Lets the thread end; for the end of the process and for tests.
    public func stopSweeping() { isSweeping.store(false, ordering: .releasing) }

    /// Gives up every call whose deadline has passed. Takes no lock. Tests with a clock of their own call it.
    public func sweep() {
        let now = clock.monotonic()
        for index in 0..<table.capacity {
            guard let slot = table.slot(at: index) else { continue }
            let word = SlotWord(raw: slot.pointee.state.load(ordering: .acquiring))
            guard word.phase == .live, slot.pointee.deadline.load(ordering: .relaxed) <= now else { continue }
            let id = UInt64(word.generation) << 32 | UInt64(index)
            guard table.pin(id) != nil else { continue }
            expire(slot, id)
            unpin(slot, id)
        }
    }
}
