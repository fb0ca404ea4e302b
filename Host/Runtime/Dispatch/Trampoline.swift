// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost

/// Bounds how deep calls into plugins and sinks nest on one thread: what would go deeper waits until the outermost
/// returns, in order.
enum Trampoline {
    /// Calls nest this deep at most.
    static let bound: UInt32 = 8

    /// True where the next call must wait.
    @inline(__always)
    static var isDeep: Bool { theatre_thread_depth() >= bound }

    /// Runs `body` one level deeper.
    @inline(__always)
    static func enter<Result>(_ body: () -> Result) -> Result {
        theatre_thread_enter()
        let result = body()
        if theatre_thread_depth() == 1, theatre_thread_deferred() != nil { drain() }
        _ = theatre_thread_leave()
        return result
    }

    /// Runs `body` when the outermost call on this thread returns.
    static func later(_ body: @escaping () -> Void) {
        if let raw = theatre_thread_deferred() {
            Unmanaged<Deferred>.fromOpaque(raw).takeUnretainedValue().work.append(body)
        } else {
            let queue = Deferred()
            queue.work.append(body)
            theatre_thread_set_deferred(Unmanaged.passRetained(queue).toOpaque())
        }
    }

    /// True where earlier work of this thread still waits; what must keep its order waits behind it.
    @inline(__always)
    static var isWaiting: Bool { theatre_thread_deferred() != nil }

    /// The queue stays in place until it is empty, so that order is kept for what comes meanwhile.
    private static func drain() {
        guard let raw = theatre_thread_deferred() else { return }
        let queue = Unmanaged<Deferred>.fromOpaque(raw)
        queue._withUnsafeGuaranteedRef { queue in
            while let body = queue.next() { body() }
        }
        theatre_thread_set_deferred(nil)
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
