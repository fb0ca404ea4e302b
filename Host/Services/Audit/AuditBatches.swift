// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreContracts

/// Gathers audit rows and decides when they are stored.
struct AuditBatches: ActionState {
    /// What happened.
    enum Input: Sendable {
        /// A row came.
        case row(SQLAuditEntry)
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
        case store([SQLAuditEntry])
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

    private(set) var dropped = 0
    private(set) var storedRows = 0
    private var rows: [SQLAuditEntry] = []
    private var underWay: [SQLAuditEntry] = []
    private var isWaiting = false
    private var backoff = Backoff()
    private var isStopping = false

    mutating func handle(_ input: Input) -> [Action] {
        switch input {
        case .row(let row): return take(row)
        case .due:
            isWaiting = false
            return store()
        case .stored(let succeeded): return settle(succeeded)
        case .stop:
            isStopping = true
            return underWay.isEmpty ? (rows.isEmpty ? [.stopped] : store()) : []
        }
    }

    private mutating func take(_ row: SQLAuditEntry) -> [Action] {
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
        return wait(backoff.fail())
    }
}
