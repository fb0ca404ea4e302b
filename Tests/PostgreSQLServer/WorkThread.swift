// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// One thread that never ends and runs what blocks, in order.
///
/// It starts every server: the signal a child gets at its parent's end follows the thread that started it. Unchecked:
/// `waiting` is touched with the mutex held.
final class WorkThread: @unchecked Sendable {
    static let shared = WorkThread()

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [@Sendable () -> Void] = []

    private init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(arrived, nil)
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        let failure = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<WorkThread>.fromOpaque(argument).takeRetainedValue().serve() }
                return nil
            }, box.toOpaque())
        precondition(failure == 0, "a thread can be started")
        pthread_detach(thread)
    }

    /// Runs `work` there and waits without holding this task's thread.
    func run<Output: Sendable>(_ work: @escaping @Sendable () throws -> Output) async throws -> Output {
        try await withCheckedThrowingContinuation { continuation in
            pthread_mutex_lock(mutex)
            waiting.append { continuation.resume(with: Result { try work() }) }
            pthread_cond_signal(arrived)
            pthread_mutex_unlock(mutex)
        }
    }

    private func serve() {
        while true {
            pthread_mutex_lock(mutex)
            while waiting.isEmpty { pthread_cond_wait(arrived, mutex) }
            let work = waiting.removeFirst()
            pthread_mutex_unlock(mutex)
            work()
        }
    }
}
