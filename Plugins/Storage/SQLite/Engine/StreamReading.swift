// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Synchronization
import TheatreContracts
import TheatreStorage

/// A connection on which one statement stands between two pieces of its rows.
///
/// The invariant that makes it Sendable: whoever took it from its ``StreamReadings`` waits for each piece before the next,
/// so one thread at a time touches it.
final class StreamReading: @unchecked Sendable {
    private let connection: Connection
    private var statement: PreparedStatement?
    private var scope: CallerScope?
    private var left = 0
    private var isDone = false
    private var copy: BackupCopy?

    init(_ connection: Connection) { self.connection = connection }

    /// Compiles the statement; at most `rows` rows are given.
    func begin(_ statement: SQLStatement, for scope: CallerScope, rows: Int) throws {
        self.statement = try connection.prepared(statement, for: scope, mode: .read)
        self.scope = scope
        left = rows
        isDone = false
    }

    /// The next rows; none at the end.
    func next(while isWanted: @escaping () -> Bool, until deadline: UInt64) throws -> SQLRows {
        guard let statement, let scope, !isDone else { return SQLRows() }
        var collector = RowCollector(statement, Bounds(rows: left, bytes: 16 << 20))
        isDone = try connection.serving(while: { isWanted() && monotonicNanoseconds() < deadline }) {
            try connection.step(statement, for: scope, into: &collector, bytes: 64 << 10)
        }
        left -= collector.rows.rows.count
        return collector.rows
    }

    /// Runs one statement in a snapshot that stays until the end.
    func read(
        _ statement: SQLStatement, for scope: CallerScope, bounds: Bounds, milliseconds: UInt32,
        while isWanted: @escaping () -> Bool
    ) throws -> SQLRows {
        try connection.beginReading()
        return try connection.serving(while: isWanted, milliseconds: milliseconds) {
            try connection.run(statement, for: scope, mode: .read, bounds: bounds)
        }
    }

    /// Checks the whole database on one snapshot.
    func verify(while isWanted: @escaping () -> Bool) throws -> SQLVerifyResponse {
        try connection.serving(while: isWanted) { try Verification.run(on: connection) }
    }

    func beginBackup(to path: String) throws { copy = try BackupCopy(from: connection, to: path) }

    func continueBackup() throws -> SQLBackupProgress {
        guard let copy else { throw StorageError.closed }
        return try copy.step()
    }

    func finishBackup() throws -> SQLBackupProgress {
        guard let copy else { throw StorageError.closed }
        let progress = try copy.finish()
        abandonBackup()
        return progress
    }

    func abandonBackup() {
        copy = nil
        end()
    }

    /// Lets go of the snapshot.
    func end() {
        defer { connection.rollback() }
        statement?.reset()
        statement = nil
        scope = nil
    }

    func close() {
        end()
        connection.close()
    }
}

/// The connections that streams and reading transactions read from; each keeps its own until it ends.
final class StreamReadings: Sendable {
    /// How many there are at once.
    static let count = 8

    private struct State {
        var idle: [StreamReading]
        /// Those that are, idle or not.
        var count: Int
        var isClosed = false
    }

    private let state: Mutex<State>
    /// Those that are open, lent or not.
    private let ended = Countdown()
    /// Grows with each that is given back.
    private let freed = HeadSignal()

    private let path: String?
    private let tenantTables: TenantTables?

    /// Those of `connections`, and up to ``count`` of the file at `path`, opened when they are needed.
    init(_ connections: [Connection], path: String?, _ tenantTables: TenantTables?) {
        // Each connection moves into its reading: nothing else keeps it.
        state = Mutex(State(idle: connections.map { StreamReading($0) }, count: connections.count))
        self.path = path
        self.tenantTables = tenantTables
        for _ in connections { ended.add() }
    }

    /// One that nobody else has; waits for it up to `milliseconds`.
    func take(waiting milliseconds: Int) async throws -> StreamReading {
        let end = monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
        while true {
            let seen = freed.head
            if let reading = try takeNow() { return reading }
            let now = monotonicNanoseconds()
            guard now < end, !Task.isCancelled else {
                throw StorageError(
                    .resourceExhausted, "sql.too_many_streams",
                    "\(Self.count) streams and reading transactions are open; read one to its end first.",
                    retry: .after(milliseconds: 100))
            }
            await freed.wait(beyond: seen, for: .nanoseconds(Int64(end - now)))
        }
    }

    private func takeNow() throws(StorageError) -> StreamReading? {
        let (idle, opens) = try state.withLock { state throws(StorageError) -> (StreamReading?, Bool) in
            guard !state.isClosed else { throw .closed }
            if let idle = state.idle.popLast() { return (idle, false) }
            guard path != nil, state.count < Self.count else { return (nil, false) }
            state.count += 1
            ended.add()
            return (nil, true)
        }
        guard opens, let path else { return idle }
        do throws(StorageError) {
            let connection = try Connection(path: path, role: .reader)
            connection.tenantTables = tenantTables
            return StreamReading(connection)
        } catch {
            state.withLock { $0.count -= 1 }
            ended.done()
            throw error
        }
    }

    func give(back reading: StreamReading) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.idle.append(reading) }
            return state.isClosed
        }
        if isClosed { close([reading]) }
        freed.advance(to: freed.head + 1)
    }

    /// Whether nobody has one.
    var isIdle: Bool { state.withLock { $0.idle.count == $0.count } }

    /// Closes those that are idle, the others once they are given back.
    func close() {
        let idle = state.withLock { state in
            defer { state.idle = [] }
            state.isClosed = true
            return state.idle
        }
        close(idle)
        freed.advance(to: freed.head + 1)
    }

    private func close(_ readings: [StreamReading]) {
        for reading in readings {
            reading.close()
            ended.done()
        }
    }

    /// Returns once all are closed, those that are lent too.
    func waitForEnd() async { await ended.wait() }
}
