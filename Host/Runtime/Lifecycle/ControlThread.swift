// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import Glibc
internal import Synchronization

/// The one thread on which an instance is created, activated, stopped and destroyed, so that these never overlap.
///
/// A function that does not return in time is left behind on its thread: it cannot be stopped, and the instance is not
/// used again.
final class ControlThread: @unchecked Sendable {
    // Invariant: `queue` and `isEnded` are touched only under `lock`; `changed` is signalled with every change.
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var queue: [@Sendable () -> Void] = []
    private var isEnded = false

    /// Starts the thread.
    ///
    /// - Parameter name: shown by process tools, cut to 15 bytes.
    init(name: String) {
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<ControlThread>.fromOpaque(context).takeRetainedValue().loop()
                return nil
            }, context.toOpaque())
        pthread_detach(thread)
        enqueue { theatre_thread_set_name(name) }
    }

    /// Ends the thread once what is queued has run.
    func end() {
        pthread_mutex_lock(lock)
        isEnded = true
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(lock)
    }

    /// Runs `body` on the thread and waits for it; nil where it takes longer than `seconds`.
    ///
    /// Blocks the caller: not for the shared pool or an event loop.
    func run<T: Sendable>(seconds: Int, _ body: @escaping @Sendable () -> T) -> T? {
        let result = ResultBox<T>()
        enqueue { [self] in
            result.set(body())
            pthread_mutex_lock(lock)
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(lock)
        }
        return wait(for: result, seconds: seconds)
    }

    private func wait<T: Sendable>(for result: ResultBox<T>, seconds: Int) -> T? {
        var until = timespec()
        clock_gettime(CLOCK_MONOTONIC, &until)
        until.tv_sec += seconds
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while result.value == nil {
            if pthread_cond_timedwait(changed, lock, &until) == ETIMEDOUT { return result.value }
        }
        return result.value
    }

    /// Runs `work` on the thread, after what came before.
    func enqueue(_ work: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(lock)
        queue.append(work)
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(lock)
    }

    private func loop() {
        while let work = next() { work() }
    }

    private func next() -> (@Sendable () -> Void)? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while queue.isEmpty {
            if isEnded { return nil }
            pthread_cond_wait(changed, lock)
        }
        return queue.removeFirst()
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(lock)
        changed.deallocate()
        lock.deallocate()
    }
}

/// What a function on the control thread returned.
private final class ResultBox<T: Sendable>: Sendable {
    private let storage = Mutex<T?>(nil)

    var value: T? { storage.withLock { $0 } }

    func set(_ value: T) { storage.withLock { $0 = value } }
}
