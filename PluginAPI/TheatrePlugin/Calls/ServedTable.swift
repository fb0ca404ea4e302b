// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// The calls an instance serves, by id, and the runners that wait for more, spread over shards so that threads that
/// start and end calls at once seldom meet at a lock.
final class ServedTable: Sendable {
    private struct Shard: ~Copyable { let state = Mutex(State()) }

    /// Plain memory, each in lines of its own; the pointers are constant.
    private nonisolated(unsafe) let shards: UnsafeMutableBufferPointer<UnsafeMutablePointer<Shard>>
    private let draining = Atomic<Bool>(false)

    init() {
        shards = .allocate(capacity: 16)
        shards.initialize(repeating: OwnLines.allocate(Shard()))
        for index in 1..<16 { shards[index] = OwnLines.allocate(Shard()) }
    }

    deinit {
        for shard in shards { OwnLines.free(shard) }
        shards.deallocate()
    }

    @inline(__always)
    private func shard(of id: theatre_id) -> UnsafeMutablePointer<Shard> {
        shards[Int(truncatingIfNeeded: id) & 15]
    }

    /// True where its cancellation came before it.
    func register(_ call: ServedCall) -> Bool { shard(of: call.id).pointee.state.withLock { $0.register(call) } }

    /// As ``register(_:)``, and a runner that waits.
    func begin(_ call: ServedCall) -> (isCancelled: Bool, runner: CallRunner?) {
        shard(of: call.id).pointee.state.withLock { ($0.register(call), $0.runners.popLast()) }
    }

    /// A runner that waits.
    func runner(for id: theatre_id) -> CallRunner? { shard(of: id).pointee.state.withLock { $0.runners.popLast() } }

    /// A call that is being served.
    func call(_ id: theatre_id) -> ServedCall? {
        shard(of: id).pointee.state.withLock { $0.calls[id]?.takeUnretainedValue() }
    }

    func forget(_ id: theatre_id) { shard(of: id).pointee.state.withLock { $0.calls.remove(id) } }

    /// The call to cancel; nil where it has ended or is yet to come.
    func cancel(_ id: theatre_id) -> ServedCall? { shard(of: id).pointee.state.withLock { $0.cancel(id) } }

    /// Whether calls are refused.
    var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// Calls are refused from now on.
    func drain() { draining.store(true, ordering: .releasing) }

    /// Takes a runner in that has served `id` and is parked; false where it is to end.
    func park(_ runner: CallRunner, after id: theatre_id) -> Bool {
        shard(of: id).pointee.state.withLock { $0.park(runner) }
    }

    /// Ends the runners that wait, and those that come.
    func close() {
        for shard in shards {
            for runner in shard.pointee.state.withLock({ $0.close() }) { runner.end() }
        }
    }

    private struct State {
        /// Cancellations of unknown calls that are remembered: a cancellation may overtake its call.
        static let remembered = 16
        /// What a burst leaves behind is kept up to this many.
        static let parked = 8

        /// Counted once a call, by whoever serves it, who takes the call out before it is gone.
        var calls = CallMap<Unmanaged<ServedCall>>()
        var overtaking: [theatre_id] = []
        var runners: [CallRunner] = []
        var isClosed = false

        mutating func register(_ call: ServedCall) -> Bool {
            calls.insert(.passUnretained(call), for: call.id)
            guard !overtaking.isEmpty, let index = overtaking.firstIndex(of: call.id) else { return false }
            overtaking.remove(at: index)
            return true
        }

        mutating func cancel(_ id: theatre_id) -> ServedCall? {
            if let call = calls[id] { return call.takeUnretainedValue() }
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
