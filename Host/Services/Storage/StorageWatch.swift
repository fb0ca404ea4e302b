// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import Runtime
internal import Synchronization

/// Asks one storage once a second whether it takes writes.
///
/// One that does not offer to be asked counts as well.
final class StorageWatch: Sendable {
    private struct State {
        /// As the storage said it.
        var reason = ""
        var wake: (any PendingWake)?
        var isStopped = false
        var isAsking = false
        var whenStopped: (@Sendable () -> Void)?
    }

    /// Milliseconds between two looks.
    static let interval: Int64 = 1000
    /// Nanoseconds that an answer may take; a write may wait for a lock before it fails.
    static let patience: UInt64 = 10_000_000_000

    private let caller: UnaryCaller
    private let storage: WatchedStorage
    private let clock: any ServiceClock
    private let log: Logger
    private let state = Mutex(State())

    init(_ caller: UnaryCaller, _ storage: WatchedStorage, clock: any ServiceClock, log: Logger) {
        self.caller = caller
        self.storage = storage
        self.clock = clock
        self.log = log
    }

    /// Why nothing can be written, with the instance's name; empty where it can or nobody has asked yet.
    var reason: String {
        let reason = state.withLock { $0.reason }
        return reason.isEmpty ? "" : "\(storage.instance): \(reason)"
    }

    /// Begins to ask.
    func start() { look() }

    /// Asks no more; `then` is called once no call is under way.
    func stop(_ then: @escaping @Sendable () -> Void) {
        let isIdle = state.withLock { state in
            state.isStopped = true
            state.wake?.cancel()
            state.wake = nil
            if state.isAsking { state.whenStopped = then }
            return !state.isAsking
        }
        if isIdle { then() }
    }

    private func look() {
        let goes = state.withLock { state in
            guard !state.isStopped else { return false }
            state.isAsking = true
            return true
        }
        guard goes else { return }
        storage.ask(caller, deadline: clock.monotonic + Self.patience) { result in self.took(result) }
    }

    private func took(_ result: Result<String, CallError>) {
        let (before, after, stopped) = state.withLock { state in
            state.isAsking = false
            let before = state.reason
            switch result {
            case .success(let reason): state.reason = reason
            case .failure(let error): state.reason = storage.reason(of: error, former: before)
            }
            if !state.isStopped {
                state.wake = clock.wake(after: Self.interval) { [weak self] in self?.look() }
            }
            defer { state.whenStopped = nil }
            return (before, state.reason, state.whenStopped)
        }
        if before.isEmpty, !after.isEmpty {
            log.error("a storage takes no writes", metadata: ["storage": "\(storage.instance)", "reason": "\(after)"])
        } else if !before.isEmpty, after.isEmpty {
            log.notice("a storage takes writes again", metadata: ["storage": "\(storage.instance)"])
        }
        stopped?()
    }
}
