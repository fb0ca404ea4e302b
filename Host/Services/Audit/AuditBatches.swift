// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime

/// Gathers audit rows and decides when they are stored.
struct AuditBatches: ActionState {
    /// A row to come.
    struct Row: Sendable {
        var at: Int64
        /// Encoded theatre.host.v1.Context.
        var context: [UInt8]
        var outcome: String
        var reason: String
        var count: UInt32
    }

    /// What happened.
    enum Input: Sendable {
        /// A row came, and what it has in common with others where those may be counted in one.
        case row(Row, AuditedRead?)
        /// The wait is over.
        case due
        /// The batch under way is stored, or not.
        case stored(Bool)
        /// Store everything, then end.
        case stop
    }

    /// What to do.
    enum Action: Sendable {
        /// Store these.
        case store([Row])
        /// Say `due` after so many milliseconds.
        case wait(Int64)
        /// Everything is stored, or given up.
        case stopped
    }

    /// Milliseconds that a row waits for others: with a commit, under the second of loss that is allowed.
    static let gathering: Int64 = 500
    /// Rows in one batch.
    static let largest = 256
    /// Rows kept while the storage is away; beyond it the newest are dropped and counted.
    static let bound = 10_000
    /// Reads alike of one batch that have a row of their own; the last of them counts the rest.
    static let alike = 10

    private(set) var dropped = 0
    private(set) var storedRows = 0
    private var rows: [Row] = []
    private var underWay: [Row] = []
    /// Of the reads in `rows`: how many rows they have, and which is the last.
    private var reads: [AuditedRead: (rows: Int, last: Int)] = [:]
    private var isWaiting = false
    private var backoff = Backoff()
    private var isStopping = false

    mutating func handle(_ input: Input) -> [Action] {
        switch input {
        case .row(let row, let read): return take(row, read)
        case .due:
            isWaiting = false
            return store()
        case .stored(let succeeded): return settle(succeeded)
        case .stop:
            isStopping = true
            return underWay.isEmpty ? (rows.isEmpty ? [.stopped] : store()) : []
        }
    }

    private mutating func take(_ row: Row, _ read: AuditedRead?) -> [Action] {
        if let read {
            let known = reads[read] ?? (0, 0)
            guard known.rows < Self.alike else {
                rows[known.last].count += row.count
                return []
            }
            if rows.count + underWay.count < Self.bound { reads[read] = (known.rows + 1, rows.count) }
        }
        guard rows.count + underWay.count < Self.bound else {
            dropped += 1
            return []
        }
        rows.append(row)
        if rows.count >= Self.largest, backoff.failures == 0 { return store() }
        return wait(Self.gathering)
    }

    private mutating func wait(_ milliseconds: Int64) -> [Action] {
        guard !isWaiting, underWay.isEmpty, !isStopping else { return [] }
        isWaiting = true
        return [.wait(milliseconds)]
    }

    private mutating func store() -> [Action] {
        guard underWay.isEmpty, !rows.isEmpty else { return [] }
        underWay = Array(rows.prefix(Self.largest))
        rows.removeFirst(underWay.count)
        // The places of those that remain are others now.
        reads.removeAll(keepingCapacity: true)
        return [.store(underWay)]
    }

    private mutating func settle(_ succeeded: Bool) -> [Action] {
        let batch = underWay
        underWay = []
        if succeeded {
            storedRows += batch.count
            backoff.reset()
            guard isStopping else {
                return rows.count >= Self.largest ? store() : rows.isEmpty ? [] : wait(Self.gathering)
            }
            return rows.isEmpty ? [.stopped] : store()
        }
        guard !isStopping else {
            dropped += batch.count + rows.count
            rows = []
            return [.stopped]
        }
        rows = batch + rows
        reads.removeAll(keepingCapacity: true)
        return wait(backoff.fail())
    }
}
