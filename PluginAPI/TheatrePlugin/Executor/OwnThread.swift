// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Which executor a thread belongs to.
enum OwnThread {
    /// Nil where the system has no key left; no thread is known then.
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        return pthread_key_create(&key, nil) == 0 ? key : nil
    }()

    /// Says that this thread runs what is handed to `executor`, for as long as it lives.
    static func belongs(to executor: PluginExecutor) {
        if let key { pthread_setspecific(key, Unmanaged.passUnretained(executor).toOpaque()) }
    }

    /// Whether this thread does.
    @inline(__always)
    static func isOne(of executor: PluginExecutor) -> Bool {
        guard let key else { return false }
        return pthread_getspecific(key) == Unmanaged.passUnretained(executor).toOpaque()
    }
}
