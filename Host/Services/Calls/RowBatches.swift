// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Gathers rows that may be lost by a kill for at most a second, and decides when they are stored.
struct RowBatches<Row: Sendable>: ActionState {
    /// What happened.
    enum Input: Sendable {
        /// A row came.
        case row(Row)
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

    /// Milliseconds that a row waits for others: with a commit, under a second.
    let gathering: Int64 = 500
    /// Rows in one batch.
    let largest: Int
    /// Rows kept while the storage is away; beyond it the newest are dropped and counted.
    let bound = 10_000

    private(set) var dropped = 0
    private(set) var stored = 0
    private var rows: [Row] = []
    private var underWay: [Row] = []
    private var isWaiting = false
    private var isStopping = false
    private var backoff = Backoff()

    init(largest: Int) { self.largest = largest }

    /// Rows that are not under way.
    var waiting: Int { rows.count }
    /// Whether one more is kept.
    var hasRoom: Bool { rows.count + underWay.count < bound }

    /// Changes a row that is not under way.
    mutating func update(_ index: Int, _ body: (inout Row) -> Void) { body(&rows[index]) }

    mutating func handle(_ input: Input) -> [Action] {
        switch input {
        case .row(let row):
            guard hasRoom else {
                dropped += 1
                return []
            }
            rows.append(row)
            return rows.count >= largest && backoff.failures == 0 ? store() : wait(gathering)
        case .due:
            isWaiting = false
            return store()
        case .stored(let succeeded): return settle(succeeded)
        case .stop:
            isStopping = true
            return underWay.isEmpty ? (rows.isEmpty ? [.stopped] : store()) : []
        }
    }

    private mutating func wait(_ milliseconds: Int64) -> [Action] {
        guard !isWaiting, underWay.isEmpty, !isStopping else { return [] }
        isWaiting = true
        return [.wait(milliseconds)]
    }

    private mutating func store() -> [Action] {
        guard underWay.isEmpty, !rows.isEmpty else { return [] }
        underWay = Array(rows.prefix(largest))
        rows.removeFirst(underWay.count)
        return [.store(underWay)]
    }

    private mutating func settle(_ succeeded: Bool) -> [Action] {
        let batch = underWay
        underWay = []
        guard succeeded else {
            guard isStopping else {
                rows = batch + rows
                return wait(backoff.fail())
            }
            dropped += batch.count + rows.count
            rows = []
            return [.stopped]
        }
        stored += batch.count
        backoff.reset()
        if isStopping { return rows.isEmpty ? [.stopped] : store() }
        return rows.isEmpty ? [] : rows.count >= largest ? store() : wait(gathering)
    }
}
