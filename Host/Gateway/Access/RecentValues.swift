// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The values used last, up to a bound.
///
/// Two halves: what is used moves to the young one; when that is full the old one is dropped. One thread.
struct RecentValues<Key: Hashable, Value> {
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
    private let half: Int

    init(capacity: Int) { half = max(1, capacity / 2) }

    /// The value, which counts as used.
    subscript(key: Key) -> Value? {
        mutating get {
            if let value = young[key] { return value }
            guard let value = old[key] else { return nil }
            insert(value, for: key)
            return value
        }
    }

    mutating func insert(_ value: Value, for key: Key) {
        if young.count >= half, young[key] == nil {
            old = young
            young.removeAll(keepingCapacity: true)
        }
        young[key] = value
    }

    mutating func remove(_ key: Key) {
        young[key] = nil
        old[key] = nil
    }

    /// Keeps those values for which `isKept` says so.
    mutating func keep(where isKept: (Value) -> Bool) {
        young = young.filter { isKept($0.value) }
        old = old.filter { isKept($0.value) }
    }

    mutating func removeAll() {
        young.removeAll()
        old.removeAll()
    }
}
