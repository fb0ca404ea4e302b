// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The statements that a connection has prepared; the one used longest ago makes room.
struct PreparedNames {
    struct Key: Hashable {
        var namespace: String
        var sql: String
        /// The types of its parameters: the same text with others is another statement.
        var types: [UInt32]
    }

    private struct Entry {
        var name: String
        var used: UInt64
    }

    private let capacity: Int
    private var entries: [Key: Entry] = [:]
    private var uses: UInt64 = 0
    private var made: UInt64 = 0

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { entries.count }

    /// The name under which it is prepared.
    mutating func name(of key: Key) -> String? {
        guard let index = entries.index(forKey: key) else { return nil }
        uses += 1
        entries.values[index].used = uses
        return entries.values[index].name
    }

    /// A new name for it, and the name of a statement that has to go for it.
    mutating func add(_ key: Key) -> (name: String, evicted: String?) {
        var evicted: String?
        if entries.count >= capacity, let oldest = entries.min(by: { $0.value.used < $1.value.used }) {
            evicted = oldest.value.name
            entries[oldest.key] = nil
        }
        made += 1
        uses += 1
        let name = "s\(made)"
        entries[key] = Entry(name: name, used: uses)
        return (name, evicted)
    }

    /// It was not prepared after all.
    mutating func remove(_ key: Key) { entries[key] = nil }

    /// None is prepared any more.
    mutating func removeAll() { entries.removeAll() }
}
