// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CPostgreSQL
import Glibc

/// A thread for what blocks in libpq: looking names up before a connection, and asking for a cancellation.
///
/// Unchecked: `waiting` and `isClosed` are touched with the mutex held.
final class BlockingThread: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [@Sendable () -> Void] = []
    private var isClosed = false
    private let name: String

    init(name: String) throws(WireError) {
        self.name = name
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(arrived, nil)
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        let failure = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let me = Unmanaged<BlockingThread>.fromOpaque(argument).takeRetainedValue()
                cpg_name_thread(me.name)
                me.serve()
                return nil
            }, box.toOpaque())
        guard failure == 0 else {
            box.release()
            throw WireError(.local, message: "The thread \(name) cannot be started.")
        }
        pthread_detach(thread)
    }

    deinit {
        pthread_cond_destroy(arrived)
        pthread_mutex_destroy(mutex)
        arrived.deallocate()
        mutex.deallocate()
    }

    /// Runs `work` there, in order. After ``close()`` it is dropped.
    func execute(_ work: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(mutex)
        if !isClosed { waiting.append(work) }
        pthread_cond_signal(arrived)
        pthread_mutex_unlock(mutex)
    }

    /// What waits is dropped and the thread ends.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        waiting = []
        pthread_cond_signal(arrived)
        pthread_mutex_unlock(mutex)
    }

    private func serve() {
        while true {
            pthread_mutex_lock(mutex)
            while waiting.isEmpty, !isClosed { pthread_cond_wait(arrived, mutex) }
            let work = waiting.isEmpty ? nil : waiting.removeFirst()
            pthread_mutex_unlock(mutex)
            guard let work else { return }
            work()
        }
    }
}
