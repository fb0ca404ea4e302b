// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime

/// Gathers audit rows, counts reads alike in one, and decides when they are stored.
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
    typealias Action = RowBatches<Row>.Action

    /// Reads alike of one batch that have a row of their own; the last of them counts the rest.
    static let alike = 10

    private var batches = RowBatches<Row>(largest: 256)
    /// Of the reads that are not under way: how many rows they have, and which is the last.
    private var reads: [AuditedRead: (rows: Int, last: Int)] = [:]

    var dropped: Int { batches.dropped }
    var storedRows: Int { batches.stored }

    mutating func handle(_ input: Input) -> [Action] {
        switch input {
        case .row(let row, let read): return take(row, read)
        case .due: return passed(batches.handle(.due))
        case .stored(let succeeded):
            // What came to nothing is put before the others again, which have other places then.
            if !succeeded { reads.removeAll(keepingCapacity: true) }
            return passed(batches.handle(.stored(succeeded)))
        case .stop: return passed(batches.handle(.stop))
        }
    }

    private mutating func take(_ row: Row, _ read: AuditedRead?) -> [Action] {
        if let read {
            let known = reads[read] ?? (0, 0)
            guard known.rows < Self.alike else {
                batches.update(known.last) { $0.count += row.count }
                return []
            }
            if batches.hasRoom { reads[read] = (known.rows + 1, batches.waiting) }
        }
        return passed(batches.handle(.row(row)))
    }

    /// The places of those that remain are others once a batch is under way.
    private mutating func passed(_ actions: [Action]) -> [Action] {
        for case .store in actions { reads.removeAll(keepingCapacity: true) }
        return actions
    }
}
