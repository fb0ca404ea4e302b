// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost

/// What the dispatcher remembers of the calling thread. Good for as long as the function that asked for it runs.
typealias ThreadPointer = UnsafeMutablePointer<theatre_thread>

/// Bounds how deep calls into plugins and sinks nest on one thread: what would go deeper waits until the outermost
/// returns, in order.
enum Trampoline {
    /// Calls nest this deep at most.
    static let bound: UInt32 = 8

    /// True where the next call must wait.
    @inline(__always)
    static func isDeep(_ thread: ThreadPointer) -> Bool { thread.pointee.depth >= bound }

    /// Runs `body` one level deeper.
    @inline(__always)
    static func enter<Result>(_ thread: ThreadPointer, _ body: () -> Result) -> Result {
        thread.pointee.depth += 1
        let result = body()
        if thread.pointee.depth == 1, thread.pointee.deferred != nil { drain(thread) }
        thread.pointee.depth -= 1
        return result
    }

    /// Runs `body` one level deeper, off the hot path.
    static func enter(_ body: () -> Void) { enter(theatre_thread_here(), body) }

    /// Runs `body` when the outermost call on this thread returns.
    static func later(_ thread: ThreadPointer, _ body: @escaping () -> Void) {
        if let raw = thread.pointee.deferred {
            Unmanaged<Deferred>.fromOpaque(raw).takeUnretainedValue().work.append(body)
        } else {
            let queue = Deferred()
            queue.work.append(body)
            thread.pointee.deferred = Unmanaged.passRetained(queue).toOpaque()
        }
    }

    /// True where earlier work of this thread still waits; what must keep its order waits behind it.
    @inline(__always)
    static func isWaiting(_ thread: ThreadPointer) -> Bool { thread.pointee.deferred != nil }

    /// The queue stays in place until it is empty, so that order is kept for what comes meanwhile.
    @inline(never)
    private static func drain(_ thread: ThreadPointer) {
        guard let raw = thread.pointee.deferred else { return }
        let queue = Unmanaged<Deferred>.fromOpaque(raw)
        queue._withUnsafeGuaranteedRef { queue in
            while let body = queue.next() { body() }
        }
        thread.pointee.deferred = nil
        queue.release()
    }

    private final class Deferred {
        var work: [() -> Void] = []
        private var first = 0

        func next() -> (() -> Void)? {
            guard first < work.count else { return nil }
            let body = work[first]
            first += 1
            if first >= 64 {
                work.removeFirst(first)
                first = 0
            }
            return body
        }
    }
}
