// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Something that happens once, and threads of the host that wait for it.
public final class Latch: @unchecked Sendable {
    // Invariant: the semaphore outlives every waiter, since waiters hold this.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    /// Closed.
    public init() { sem_init(semaphore, 0, 0) }

    /// Lets everyone through, from now on.
    public func open() { sem_post(semaphore) }

    /// Whether it was opened.
    var isOpen: Bool {
        guard sem_trywait(semaphore) == 0 else { return false }
        sem_post(semaphore)
        return true
    }

    /// Returns once it is open. Blocks: for threads of the host's own.
    public func wait() {
        while sem_wait(semaphore) != 0 {}
        sem_post(semaphore)
    }

    /// True once it is open; false where it takes longer. Blocks: for threads of the host's own.
    public func wait(seconds: Int) -> Bool {
        var until = timespec()
        clock_gettime(CLOCK_REALTIME, &until)
        until.tv_sec += seconds
        while sem_timedwait(semaphore, &until) != 0 {
            if errno == ETIMEDOUT { return false }
        }
        sem_post(semaphore)
        return true
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }
}
