// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Prepared statements of one connection; the one used longest ago makes room.
struct StatementCache {
    struct Key: Hashable {
        /// The authorizer speaks at prepare only, so a statement is kept for one namespace and one mode.
        var namespace: String
        var sql: String
        var mode: Authorizer.Mode
    }

    private struct Entry {
        var statement: PreparedStatement
        var used: UInt64
    }

    private let capacity: Int
    private var entries: [Key: Entry] = [:]
    private var uses: UInt64 = 0

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { entries.count }

    subscript(key: Key) -> PreparedStatement? {
        mutating get {
            guard let index = entries.index(forKey: key) else { return nil }
            uses += 1
            entries.values[index].used = uses
            return entries.values[index].statement
        }
        set {
            guard let newValue else {
                entries[key] = nil
                return
            }
            if entries.count >= capacity, let oldest = entries.min(by: { $0.value.used < $1.value.used }) {
                entries[oldest.key] = nil
            }
            uses += 1
            entries[key] = Entry(statement: newValue, used: uses)
        }
    }

    mutating func removeAll() { entries.removeAll() }
}
