// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreContracts

/// Keeps a flood of refusals from becoming a flood of rows: ten a minute per actor and route, then one with a count.
struct RefusalCounts: Sendable {
    /// Who was refused what.
    struct Actor: Sendable, Hashable {
        var tenant: String
        var principal: String
        var route: String
    }

    private struct Tally {
        var began: Int64
        var rows = 1
        /// The last refusal without a row of its own; its count is that of all of them.
        var counted: SQLAuditEntry?
    }

    /// A minute, in milliseconds.
    static let window: Int64 = 60_000
    /// Rows of their own in a window.
    static let rowsPerWindow = 10
    /// Actors remembered; when there are more, all are settled and forgotten.
    static let bound = 4096

    private var tallies: [Actor: Tally] = [:]

    /// Takes a refusal; gives the rows to store now, and whether this is the first that waits for ``flush()``.
    mutating func take(_ entry: SQLAuditEntry, of actor: Actor) -> (rows: [SQLAuditEntry], isFirstCounted: Bool) {
        guard var tally = tallies[actor], entry.at - tally.began < Self.window else {
            var rows = [tallies.removeValue(forKey: actor)?.counted].compactMap(\.self)
            if tallies.count >= Self.bound { rows += flush() }
            tallies[actor] = Tally(began: entry.at)
            return (rows + [entry], false)
        }
        defer { tallies[actor] = tally }
        if tally.rows < Self.rowsPerWindow {
            tally.rows += 1
            return ([entry], false)
        }
        let isFirst = tallies.values.allSatisfy { $0.counted == nil }
        let count = tally.counted?.count ?? 0
        tally.counted = entry
        tally.counted?.count = count + 1
        return ([], isFirst)
    }

    /// Gives one row for each actor whose refusals were counted, and forgets everyone.
    mutating func flush() -> [SQLAuditEntry] {
        defer { tallies = [:] }
        return tallies.values.compactMap(\.counted)
    }
}
