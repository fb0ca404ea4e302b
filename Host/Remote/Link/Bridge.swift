// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime
internal import Synchronization

/// Where callbacks and threads of the host begin asynchronous work and wait for it: the one place here that starts tasks.
enum Bridge {
    /// Begins work that its owner cancels.
    static func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> { Task { await body() } }

    /// Waits for asynchronous work on a thread of the host's own; nil where it takes longer, and is given up then.
    static func wait<T: Sendable>(seconds: Int, _ body: @escaping @Sendable () async -> T) -> T? {
        let result = Mutex<T?>(nil)
        let shared = Shared(result)
        let done = Latch()
        let task = Task {
            let value = await body()
            shared.set(value)
            done.open()
        }
        if !done.wait(seconds: seconds) { task.cancel() }
        return shared.value
    }

    private final class Shared<T: Sendable>: Sendable {
        private let stored: Mutex<T?>
        init(_ stored: consuming Mutex<T?>) { self.stored = stored }
        var value: T? { stored.withLock { $0 } }
        func set(_ value: T) { stored.withLock { $0 = value } }
    }
}
