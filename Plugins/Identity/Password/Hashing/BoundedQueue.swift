// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A queue between any threads and the servers that block on it: in order of arrival, bounded, closed once.
///
/// The invariant that makes it Sendable: the stored properties change only with `mutex` held.
final class BoundedQueue<Element: Sendable>: @unchecked Sendable {
    /// What became of an element.
    enum Admission: Sendable {
        case taken, full, closed
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let limit: Int
    private var waiting: [Element] = []
    private var free: Int
    private var isClosed = false

    /// - Parameters:
    ///   - limit: elements that wait while every server is at work.
    ///   - servers: threads that pop.
    init(limit: Int, servers: Int) {
        self.limit = limit
        free = servers
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(arrived, nil)
    }

    deinit {
        pthread_cond_destroy(arrived)
        pthread_mutex_destroy(mutex)
        arrived.deallocate()
        mutex.deallocate()
    }

    /// Adds an element, unless as many wait as may.
    func push(_ element: Element) -> Admission {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isClosed else { return .closed }
        guard waiting.count < limit + free else { return .full }
        waiting.append(element)
        pthread_cond_signal(arrived)
        return .taken
    }

    /// The next element; nil once the queue is closed and empty. Blocks.
    func pop() -> Element? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while waiting.isEmpty {
            if isClosed { return nil }
            pthread_cond_wait(arrived, mutex)
        }
        free -= 1
        return waiting.removeFirst()
    }

    /// The server that popped an element is free again.
    func done() {
        pthread_mutex_lock(mutex)
        free += 1
        pthread_mutex_unlock(mutex)
    }

    /// Takes nothing more; what waits is still popped.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(arrived)
        pthread_mutex_unlock(mutex)
    }
}
