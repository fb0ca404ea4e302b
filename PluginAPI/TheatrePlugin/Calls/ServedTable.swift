// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// The calls an instance serves, by id, and the runners that wait for more, spread over shards so that threads that
/// start and end calls at once seldom meet at a lock.
final class ServedTable: Sendable {
    enum Registration {
        /// To be served by this runner.
        case registered(CallRunner)
        /// Its cancellation came before it.
        case cancelled(CallRunner)
        /// The instance is draining.
        case refused
    }

    private let shards: [Shard] = (0..<16).map { _ in Shard() }
    private let draining = Atomic<Bool>(false)

    private func shard(of id: theatre_id) -> Shard { shards[Int(truncatingIfNeeded: id) & 15] }

    func register(_ call: ServedCall) -> Registration {
        if draining.load(ordering: .acquiring) { return .refused }
        return shard(of: call.id).state.withLock { $0.register(call) }
    }

    /// A call that is being served.
    func call(_ id: theatre_id) -> ServedCall? { shard(of: id).state.withLock { $0.calls[id] } }

    func forget(_ id: theatre_id) { shard(of: id).state.withLock { $0.calls.remove(id) } }

    /// The call to cancel; nil where it has ended or is yet to come.
    func cancel(_ id: theatre_id) -> ServedCall? { shard(of: id).state.withLock { $0.cancel(id) } }

    /// Calls are refused from now on.
    func drain() { draining.store(true, ordering: .releasing) }

    /// Takes a runner in that has served `id` and is parked; false where it is to end.
    func park(_ runner: CallRunner, after id: theatre_id) -> Bool {
        shard(of: id).state.withLock { $0.park(runner) }
    }

    /// Ends the runners that wait, and those that come.
    func close() {
        for shard in shards {
            for runner in shard.state.withLock({ $0.close() }) { runner.end() }
        }
    }

    private final class Shard: Sendable {
        let state = Mutex(State())
    }

    private struct State {
        /// Cancellations of unknown calls that are remembered: a cancellation may overtake its call.
        static let remembered = 16
        /// What a burst leaves behind is kept up to this many.
        static let parked = 8

        var calls = CallMap<ServedCall>()
        var overtaking: [theatre_id] = []
        var runners: [CallRunner] = []
        var isClosed = false

        mutating func register(_ call: ServedCall) -> Registration {
            let runner = runners.popLast() ?? CallRunner()
            call.isServed(by: runner)
            calls.insert(call, for: call.id)
            guard !overtaking.isEmpty, let index = overtaking.firstIndex(of: call.id) else {
                return .registered(runner)
            }
            overtaking.remove(at: index)
            return .cancelled(runner)
        }

        mutating func cancel(_ id: theatre_id) -> ServedCall? {
            if let call = calls[id] { return call }
            if overtaking.count == Self.remembered { overtaking.removeFirst() }
            overtaking.append(id)
            return nil
        }

        mutating func park(_ runner: CallRunner) -> Bool {
            guard !isClosed, runners.count < Self.parked else { return false }
            runners.append(runner)
            return true
        }

        mutating func close() -> [CallRunner] {
            defer { runners = [] }
            isClosed = true
            return runners
        }
    }
}
