// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A mutex with a condition: what a thread of the plugin's own sleeps on.
///
/// Unchecked: the two pthread objects are made for use from all threads and never move.
final class Gate: @unchecked Sendable {
    private let mutex = OwnLines.allocate(pthread_mutex_t())
    private let condition = OwnLines.allocate(pthread_cond_t())

    init() {
        // Held for a few instructions: spinning a little is cheaper than sleeping.
        var attributes = pthread_mutexattr_t()
        pthread_mutexattr_init(&attributes)
        pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_ADAPTIVE_NP))
        pthread_mutex_init(mutex, &attributes)
        pthread_mutexattr_destroy(&attributes)
        var clock = pthread_condattr_t()
        pthread_condattr_init(&clock)
        pthread_condattr_setclock(&clock, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &clock)
        pthread_condattr_destroy(&clock)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        OwnLines.free(condition)
        OwnLines.free(mutex)
    }

    func lock() { pthread_mutex_lock(mutex) }
    func unlock() { pthread_mutex_unlock(mutex) }
    /// Call with the lock held; may return without a signal.
    func wait() { pthread_cond_wait(condition, mutex) }
    /// Call with the lock held; may return before the time, given in nanoseconds below a second.
    func wait(nanoseconds: Int) {
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &end)
        end.tv_nsec += nanoseconds
        if end.tv_nsec >= 1_000_000_000 {
            end.tv_nsec -= 1_000_000_000
            end.tv_sec += 1
        }
        pthread_cond_timedwait(condition, mutex, &end)
    }
    func signal() { pthread_cond_signal(condition) }
    func broadcast() { pthread_cond_broadcast(condition) }
}

/// Opens once; control functions, which are synchronous, wait on it for asynchronous work.
///
/// Unchecked: `result` is touched with the gate locked.
package final class Latch<Value: Sendable>: @unchecked Sendable {
    private let gate = Gate()
    private var result: Value?

    package init() {}

    /// The first value counts.
    package func open(_ value: Value) {
        gate.lock()
        if result == nil { result = value }
        gate.signal()
        gate.unlock()
    }

    /// Blocks the thread until it is open.
    package func wait() -> Value {
        gate.lock()
        defer { gate.unlock() }
        while true {
            if let result { return result }
            gate.wait()
        }
    }
}
