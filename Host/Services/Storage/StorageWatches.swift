// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Logging
public import Runtime
internal import Synchronization

/// Watches the host's storage and the stores of blobs that offer it: a host whose writes fail is not ready, and says why.
public final class StorageWatches: Sendable {
    private struct State {
        var watches: [WatchedStorage: StorageWatch] = [:]
        var isStopped = false
    }

    private let caller: UnaryCaller
    private let clock: any ServiceClock
    private let log: Logger
    private let state = Mutex(State())

    /// Watches nothing yet.
    public convenience init(calls: any CallStarting, clock: any ServiceClock, log: Logger) {
        self.init(DispatchedCalls(calls: calls), clock: clock, log: log)
    }

    init(_ calls: any UnaryCalling, clock: any ServiceClock, log: Logger) {
        caller = UnaryCaller(calls: calls)
        self.clock = clock
        self.log = log
    }

    /// Why something that is to be written cannot be: each storage that takes no writes with its reason, the host's own
    /// first; empty where all take them.
    public var reason: String {
        let watches = state.withLock { $0.watches }
        let ordered = watches.sorted { Self.rank($0.key) < Self.rank($1.key) }
        return ordered.map(\.value.reason).filter { !$0.isEmpty }.joined(separator: "; ")
    }

    private static func rank(_ storage: WatchedStorage) -> (Int, String) {
        (storage.contract == .sql ? 0 : 1, storage.instance)
    }

    /// Watches these and no others from now on. What is known of those that stay is kept.
    public func watch(_ storages: Set<WatchedStorage>) {
        let (added, dropped) = state.withLock { state -> ([StorageWatch], [StorageWatch]) in
            guard !state.isStopped else { return ([], []) }
            let dropped = state.watches.filter { !storages.contains($0.key) }
            for storage in dropped.keys { state.watches[storage] = nil }
            var added: [StorageWatch] = []
            for storage in storages where state.watches[storage] == nil {
                let watch = StorageWatch(caller, storage, clock: clock, log: log)
                state.watches[storage] = watch
                added.append(watch)
            }
            return (added, Array(dropped.values))
        }
        for watch in dropped { watch.stop {} }
        for watch in added { watch.start() }
    }

    /// Watches nothing any more; `then` is called once no call is under way.
    public func stop(_ then: @escaping @Sendable () -> Void) {
        let watches = state.withLock { state in
            state.isStopped = true
            return Array(state.watches.values)
        }
        let left = Remaining(watches.count + 1, then)
        for watch in watches { watch.stop { left.arrive() } }
        left.arrive()
    }
}
