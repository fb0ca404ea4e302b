// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// What waits for a thread of an executor.
enum Work {
    /// A task that goes on.
    case job(UnownedJob)
    /// A call that is to begin.
    case call(RecordPointer)
}

/// What the threads of an executor have taken over and not begun, in order. It has a lock of its own: as long as one
/// thread works, only that one is here, and meets those who queue once a batch.
///
/// Unchecked: `state` is touched with `lock` held, but for `taken`.
final class WorkQueue: @unchecked Sendable {
    struct State: ~Copyable {
        let lock = Mutex<Void>(())
        /// Works taken, ever; for who looks without the lock.
        let taken = Atomic<UInt64>(0)
        var items: [Work] = []
        var head = 0
    }

    private let state: UnsafeMutablePointer<State>

    init() {
        state = OwnLines.allocate(State())
        state.pointee.items.reserveCapacity(256)
    }

    deinit { OwnLines.free(state) }

    /// Works taken, ever.
    var taken: UInt64 { state.pointee.taken.load(ordering: .relaxed) }

    /// Takes the next, where `isWanted` says so of it; `refill` swaps what was queued meanwhile for the empty array it
    /// is given.
    @inline(__always)
    func next(where isWanted: (Work) -> Bool, refill: (inout [Work]) -> Void) -> Work? {
        state.pointee.lock.withLock { _ in
            if state.pointee.head == state.pointee.items.count {
                state.pointee.items.removeAll(keepingCapacity: true)
                state.pointee.head = 0
                refill(&state.pointee.items)
                guard !state.pointee.items.isEmpty else { return nil }
            }
            let work = state.pointee.items[state.pointee.head]
            guard isWanted(work) else { return nil }
            state.pointee.head += 1
            state.pointee.taken.store(taken &+ 1, ordering: .relaxed)
            return work
        }
    }

    /// What `body` says while nothing can be taken; false where something can.
    func ifEmpty(_ body: () -> Bool) -> Bool {
        state.pointee.lock.withLock { _ in state.pointee.head == state.pointee.items.count && body() }
    }

    /// Gives up a call that is not begun; true where it is here. `queued` are those not taken over yet.
    func cancel(_ id: theatre_id, of keeper: Unmanaged<InstanceKeeper>, queued: (_ isIn: ([Work]) -> Bool) -> Bool)
        -> Bool
    {
        state.pointee.lock.withLock { _ in
            Self.cancel(id, of: keeper, in: state.pointee.items[state.pointee.head...])
                || queued { Self.cancel(id, of: keeper, in: $0[...]) }
        }
    }

    private static func cancel(_ id: theatre_id, of keeper: Unmanaged<InstanceKeeper>, in works: ArraySlice<Work>)
        -> Bool
    {
        for work in works {
            guard case .call(let record) = work, record.pointee.isCall(id, of: keeper) else { continue }
            record.pointee.isCancelled = true
            return true
        }
        return false
    }
}
