// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import TheatreStorage

/// Connections for reads that are over at once, on the thread that asks: a point read takes a few microseconds, and a
/// hand-over to a reader's thread and back several times as long.
///
/// A read that turns out to be long, or would wait for a lock, is given up unfinished; a reader's thread begins it anew.
/// Reads that follow close upon each other share a snapshot for as long as nothing is committed: see ``KeptSnapshot``.
final class ShortReads: Sendable {
    /// The invariant that makes it Sendable: whoever took it out of its place has it alone.
    private final class Lent: @unchecked Sendable {
        let connection: Connection
        var snapshot = KeptSnapshot()
        init(_ connection: Connection) { self.connection = connection }
    }

    /// Where a connection lies while nobody has it. Taking and giving back are one exchange each, without a lock that
    /// every read would meet at.
    private final class Place: Sendable {
        private let free: Atomic<Unmanaged<Lent>?>

        init(_ lent: Lent) { free = Atomic(.passRetained(lent)) }

        deinit { empty()?.release() }

        /// Whoever takes it owns it.
        func take() -> Unmanaged<Lent>? {
            free.load(ordering: .relaxed) == nil ? nil : free.exchange(nil, ordering: .acquiring)
        }

        /// Takes what lies there, as everybody has left it.
        func empty() -> Unmanaged<Lent>? { free.exchange(nil, ordering: .sequentiallyConsistent) }

        func give(back lent: Unmanaged<Lent>) { free.store(lent, ordering: .sequentiallyConsistent) }
    }

    /// Steps of SQLite's machine after which a read is long, in units of 4000; the first unit may have begun before.
    private static let patience = 2

    private let places: [Place]
    private let isClosed = Atomic<Bool>(false)
    /// Grows by one when a commit begins and by one when it has ended: odd in between.
    private let commits = Atomic<UInt64>(0)
    /// Connections that are open.
    let ended = Countdown()
    private let health: Health

    /// Each of `connections` waits for no lock; `health` is told of damage that a read comes upon.
    init(_ connections: [Connection], health: Health) {
        self.health = health
        var places: [Place] = []
        for connection in connections {
            // The connection moves in here: nothing else keeps it.
            nonisolated(unsafe) let moved = connection
            places.append(Place(Lent(moved)))
            ended.add()
        }
        self.places = places
    }

    /// Runs `work`, which only reads; nil where it is too long, or where every connection is taken.
    func run<Output>(_ work: (Connection) throws -> Output) throws -> Output? {
        guard !isClosed.load(ordering: .relaxed), let (place, taken) = take() else { return nil }
        defer { giveBack(taken, to: place) }
        let lent = taken._withUnsafeGuaranteedRef { $0 }
        do {
            try lent.snapshot.renew(
                on: lent.connection, commits: commits.load(ordering: .acquiring), now: monotonicNanoseconds())
            return try lent.connection.serving(patience: Self.patience) { try work(lent.connection) }
        } catch {
            lent.snapshot.end(on: lent.connection)
            if let error = error as? StorageError, ["sql.cancelled", "sql.busy"].contains(error.reason) { return nil }
            throw error
        }
    }

    /// Something is about to be committed: from here to ``committed()`` some connection may show it, and so none may
    /// show what was before. On the writer's thread.
    func committing() { commits.add(1, ordering: .sequentiallyConsistent) }

    /// Something was committed, or not: whoever reads from now on sees it. Before anybody is told of it.
    func committed() { commits.add(1, ordering: .releasing) }

    /// Ends the snapshots that no read uses at the moment, so that the log of what was written can begin anew.
    func endSnapshots() {
        for place in places {
            guard let taken = place.take() else { continue }
            taken._withUnsafeGuaranteedRef { $0.snapshot.end(on: $0.connection) }
            giveBack(taken, to: place)
        }
    }

    /// Closes the connections; one that is taken closes when it comes back.
    func close() {
        isClosed.store(true, ordering: .sequentiallyConsistent)
        for place in places { place.empty().map(end) }
    }

    /// Returns once the connections are closed.
    func waitForEnd() async { await ended.wait() }

    /// The first that is free, from the place where this thread looks first: what it had last is in its caches.
    private func take() -> (Place, Unmanaged<Lent>)? {
        let count = places.count
        var index = count == 1 ? 0 : Int(bitPattern: UInt(pthread_self()) >> 12 % UInt(count))
        for _ in 0..<count {
            if let taken = places[index].take() { return (places[index], taken) }
            index = index + 1 == count ? 0 : index + 1
        }
        return nil
    }

    private func giveBack(_ taken: Unmanaged<Lent>, to place: Place) {
        if let damage = taken._withUnsafeGuaranteedRef({ $0.connection.takeDamage() }) { health.found(damage) }
        place.give(back: taken)
        // Whoever closed may have looked before it lay there.
        if isClosed.load(ordering: .sequentiallyConsistent) { place.empty().map(end) }
    }

    /// By whoever took it last.
    private func end(_ taken: Unmanaged<Lent>) {
        let lent = taken.takeRetainedValue()
        lent.connection.close()
        ended.done()
    }
}
