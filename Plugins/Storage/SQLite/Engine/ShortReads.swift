// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatreStorage

/// Connections for reads that are over at once, on the thread that asks: a point read takes a few microseconds, and a
/// hand-over to a reader's thread and back several times as long.
///
/// A read that turns out to be long, or would wait for a lock, is given up unfinished; a reader's thread begins it anew.
final class ShortReads: Sendable {
    /// The invariant that makes it Sendable: whoever took it out of `free` has it alone.
    private final class Lent: @unchecked Sendable {
        let connection: Connection
        init(_ connection: Connection) { self.connection = connection }
    }

    private struct State {
        var free: [Lent]
        var isClosed = false
    }

    /// Steps of SQLite's machine after which a read is long, in units of 4000; the first unit may have begun before.
    private static let patience = 2

    private let state: Mutex<State>
    private let ended = Countdown()
    private let health: Health

    /// Each of `connections` waits for no lock; `health` is told of damage that a read comes upon.
    init(_ connections: [Connection], health: Health) {
        self.health = health
        var free: [Lent] = []
        for connection in connections {
            // The connection moves in here: nothing else keeps it.
            nonisolated(unsafe) let moved = connection
            free.append(Lent(moved))
            ended.add()
        }
        state = Mutex(State(free: free))
    }

    /// Runs `work`, which only reads; nil where it is too long, or where every connection is taken.
    func run<Output>(_ work: (Connection) throws -> Output) throws -> Output? {
        guard let lent = state.withLock({ $0.free.popLast() }) else { return nil }
        defer { giveBack(lent) }
        do {
            return try lent.connection.serving(patience: Self.patience) { try work(lent.connection) }
        } catch let error as StorageError where error.reason == "sql.cancelled" || error.reason == "sql.busy" {
            return nil
        }
    }

    /// Closes the connections; one that is taken closes when it comes back.
    func close() {
        let free = state.withLock { state in
            state.isClosed = true
            defer { state.free = [] }
            return state.free
        }
        for lent in free { end(lent) }
    }

    /// Returns once the connections are closed.
    func waitForEnd() async { await ended.wait() }

    private func giveBack(_ lent: Lent) {
        if let damage = lent.connection.takeDamage() { health.found(damage) }
        let isClosed = state.withLock { state in
            if !state.isClosed { state.free.append(lent) }
            return state.isClosed
        }
        if isClosed { end(lent) }
    }

    private func end(_ lent: Lent) {
        lent.connection.close()
        ended.done()
    }
}
