// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CCrypto
import Glibc
import Synchronization

/// Threads of their own for what blocks on the disk: at most `limit`, started when there is work and none is idle.
///
/// What waits is bounded by the calls the host lets in, each of which waits for one piece of work at a time. Unchecked:
/// the queue and the counts change with `mutex` held; the two pthread objects never move.
final class FileThreads: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let limit: Int
    private var waiting: [@Sendable () -> Void] = []
    private var threads = 0
    private var idle = 0
    private var isClosed = false

    init(limit: Int) {
        self.limit = limit
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(arrived, nil)
    }

    deinit {
        pthread_cond_destroy(arrived)
        pthread_mutex_destroy(mutex)
        arrived.deallocate()
        mutex.deallocate()
    }

    /// Runs blocking work on one of the threads, in order of arrival. It is not interrupted.
    func run<Output: Sendable>(_ work: @escaping @Sendable () throws -> Output) async throws -> Output {
        do {
            return try await withCheckedThrowingContinuation { continuation in
                push { continuation.resume(with: Result { try work() }) }
            }
        } catch let fault as FileFault {
            throw fault.pluginError
        }
    }

    /// Threads end when nothing waits. What comes later still runs.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(arrived)
        pthread_mutex_unlock(mutex)
    }

    private func push(_ job: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(mutex)
        waiting.append(job)
        let starts = idle < waiting.count && threads < limit
        if starts { threads += 1 } else { pthread_cond_signal(arrived) }
        pthread_mutex_unlock(mutex)
        if starts { start() }
    }

    private func start() {
        let box = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer else { return nil }
                ccrypto_name_thread("blobs")
                Unmanaged<FileThreads>.fromOpaque(pointer).takeRetainedValue().serve()
                return nil
            }, box.toOpaque())
        guard code != 0 else {
            pthread_detach(thread)
            return
        }
        box.release()
        withoutThread()
    }

    /// No thread to be had. With others running the work waits for them; without any, this thread does it.
    private func withoutThread() {
        pthread_mutex_lock(mutex)
        threads -= 1
        let job = threads == 0 && !waiting.isEmpty ? waiting.removeFirst() : nil
        pthread_cond_signal(arrived)
        pthread_mutex_unlock(mutex)
        job?()
    }

    private func serve() {
        while let job = next() { job() }
    }

    private func next() -> (@Sendable () -> Void)? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while waiting.isEmpty {
            if isClosed {
                threads -= 1
                return nil
            }
            idle += 1
            pthread_cond_wait(arrived, mutex)
            idle -= 1
        }
        return waiting.removeFirst()
    }
}
