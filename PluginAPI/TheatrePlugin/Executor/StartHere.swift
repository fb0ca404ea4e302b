// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Says of this thread that the next job it hands to an executor runs at once and on it: how a call of an `inline`
/// instance begins on the thread that brings it, and how one goes on, on a plugin's own event thread, that waited there.
package enum StartHere {
    /// Nil where the system has no key left; everything starts on the executor's threads then.
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        return pthread_key_create(&key, nil) == 0 ? key : nil
    }()
    private static var mark: UnsafeRawPointer? { UnsafeRawPointer(bitPattern: 1) }

    /// Runs `body`, whose first job starts here where `isWanted`: the job is over, or waits, once this returns.
    @inline(__always)
    package static func start<Result>(if isWanted: Bool = true, _ body: () -> Result) -> Result {
        guard isWanted, let key else { return body() }
        pthread_setspecific(key, mark)
        // A task that had not quite parked goes on where it is, without a job.
        defer { pthread_setspecific(key, nil) }
        return body()
    }

    /// True once for each ``start(if:_:)``.
    @inline(__always)
    static func isNext() -> Bool {
        guard let key, pthread_getspecific(key) != nil else { return false }
        pthread_setspecific(key, nil)
        return true
    }
}
