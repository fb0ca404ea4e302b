// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A queue between any threads and those that may block on it: in order of arrival, unbounded, closed once.
///
/// The invariant that makes it Sendable: `waiting` and `isClosed` are touched only with `mutex` held.
final class Mailbox<Element: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [Element] = []
    private var next = 0
    private var isClosed = false

    init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(arrived, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(arrived)
        pthread_mutex_destroy(mutex)
        arrived.deallocate()
        mutex.deallocate()
    }

    /// Adds `element`; false where the mailbox is closed.
    func push(_ element: Element) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isClosed else { return false }
        waiting.append(element)
        pthread_cond_signal(arrived)
        return true
    }

    /// The next element; nil where the mailbox is closed and empty, or at `deadline` (monotonic nanoseconds). Blocks.
    func pop(until deadline: UInt64? = nil) -> Element? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while next == waiting.count {
            if isClosed { return nil }
            guard let deadline else {
                pthread_cond_wait(arrived, mutex)
                continue
            }
            var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
            if pthread_cond_timedwait(arrived, mutex, &time) == ETIMEDOUT, next == waiting.count { return nil }
        }
        return takeNext()
    }

    /// The next element if there is one; never blocks for one to come.
    func popNow() -> Element? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return next == waiting.count ? nil : takeNext()
    }

    /// With `mutex` held and something waiting.
    private func takeNext() -> Element {
        let element = waiting[next]
        next += 1
        if next == waiting.count || next > 1024 {
            waiting.removeFirst(next)
            next = 0
        }
        return element
    }

    /// Takes nothing more; what waits is still popped.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(arrived)
        pthread_mutex_unlock(mutex)
    }
}

/// Nanoseconds of the monotonic clock, which is what a blocked thread can wait by; the host's clock is for what is stored.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
