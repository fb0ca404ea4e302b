// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// State that several threads change and one may wait for.
///
/// Unchecked: `state` is touched only under `lock`; every change is broadcast.
final class Monitor<State>: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state: State

    init(_ state: State) {
        self.state = state
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(lock)
        changed.deallocate()
        lock.deallocate()
    }

    /// Changes the state and wakes who waits.
    func withLock<T>(_ body: (inout State) throws -> T) rethrows -> T {
        pthread_mutex_lock(lock)
        defer {
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(lock)
        }
        return try body(&state)
    }

    /// Waits until `ready` gives a value; nil after that many milliseconds.
    func wait<T>(milliseconds: Int, until ready: (inout State) -> T?) -> T? {
        var until = timespec()
        clock_gettime(CLOCK_MONOTONIC, &until)
        until.tv_sec += milliseconds / 1000
        until.tv_nsec += milliseconds % 1000 * 1_000_000
        if until.tv_nsec >= 1_000_000_000 {
            until.tv_sec += 1
            until.tv_nsec -= 1_000_000_000
        }
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while true {
            if let value = ready(&state) { return value }
            if pthread_cond_timedwait(changed, lock, &until) == ETIMEDOUT { return ready(&state) }
        }
    }
}

/// A thread that runs what it is given, one after the other; it starts with the first.
final class SerialThread: Sendable {
    private struct State {
        var work: [@Sendable () -> Void] = []
        var isStarted = false
        var isEnded = false
    }
    private let queue = Monitor(State())

    /// Runs `work` after what was given before.
    func enqueue(_ work: @escaping @Sendable () -> Void) {
        let isFirst = queue.withLock { state in
            state.work.append(work)
            defer { state.isStarted = true }
            return !state.isStarted
        }
        if isFirst { start() }
    }

    /// Runs `work` and waits for it; false where that takes longer.
    func run(milliseconds: Int, _ work: @escaping @Sendable () -> Void) -> Bool {
        let done = Monitor(false)
        enqueue {
            work()
            done.withLock { $0 = true }
        }
        return done.wait(milliseconds: milliseconds) { $0 ? true : nil } ?? false
    }

    /// Waits until everything given so far has run; at once where nothing ever was.
    func settle(milliseconds: Int) {
        guard queue.withLock({ $0.isStarted && !$0.isEnded }) else { return }
        _ = run(milliseconds: milliseconds) {}
    }

    /// Lets the thread end once it is idle. Nothing may be given to it afterwards.
    func end() { queue.withLock { $0.isEnded = true } }

    private func start() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<SerialThread>.fromOpaque(context).takeRetainedValue().loop()
                return nil
            }, context.toOpaque())
        pthread_detach(thread)
    }

    private func loop() {
        while let work = next() { work() }
    }

    private func next() -> (@Sendable () -> Void)? {
        queue.wait(milliseconds: 86_400_000) { state -> (@Sendable () -> Void)?? in
            if !state.work.isEmpty { return .some(state.work.removeFirst()) }
            return state.isEnded ? .some(nil) : nil
        } ?? nil
    }
}
