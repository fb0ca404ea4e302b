// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Logging
public import Runtime
internal import Synchronization
internal import TheatreContracts

/// Asks the storage once a second whether it takes writes: a host whose writes fail is not ready, and says why.
///
/// A storage that does not provide `theatre.sql.v1.Maintenance` counts as well.
public final class StorageWatch: Sendable {
    private struct State {
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
    private let storage: String
    private let clock: any ServiceClock
    private let log: Logger
    private let state = Mutex(State())

    /// A watch on the storage instance `storage`.
    public convenience init(calls: any CallStarting, storage: String, clock: any ServiceClock, log: Logger) {
        self.init(DispatchedCalls(calls: calls), storage: storage, clock: clock, log: log)
    }

    init(_ calls: any UnaryCalling, storage: String, clock: any ServiceClock, log: Logger) {
        caller = UnaryCaller(calls: calls)
        self.storage = storage
        self.clock = clock
        self.log = log
    }

    /// Why nothing can be written; empty where it can or nobody has asked yet.
    public var reason: String { state.withLock { $0.reason } }

    /// Begins to ask.
    public func start() { look() }

    /// Asks no more; `then` is called once no call is under way.
    public func stop(_ then: @escaping @Sendable () -> Void) {
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
        caller.call(
            storage, "theatre.sql.v1.Maintenance/Status", SQLStatusRequest(), .system,
            deadline: clock.monotonic + Self.patience
        ) { (result: Result<SQLStatusResponse, CallError>) in self.took(result) }
    }

    private func took(_ result: Result<SQLStatusResponse, CallError>) {
        let reason: String
        switch result {
        case .success(let status): reason = status.writable ? "" : "\(storage): \(status.reason)"
        case .failure(let error):
            let isSilent = error.code == .unimplemented || error.code == .notFound
            reason = isSilent ? "" : "\(storage): \(error.reason)"
        }
        let (before, stopped) = state.withLock { state in
            state.isAsking = false
            let before = state.reason
            state.reason = reason
            if !state.isStopped {
                state.wake = clock.wake(after: Self.interval) { [weak self] in self?.look() }
            }
            defer { state.whenStopped = nil }
            return (before, state.whenStopped)
        }
        if before.isEmpty, !reason.isEmpty {
            log.error("the storage takes no writes", metadata: ["reason": "\(reason)"])
        } else if !before.isEmpty, reason.isEmpty {
            log.notice("the storage takes writes again")
        }
        stopped?()
    }
}
