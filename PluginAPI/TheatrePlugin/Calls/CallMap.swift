// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin

/// Values by call id: a hash table with open addressing, since ids are plain numbers and the host, who makes
/// them, is trusted. A `Dictionary` takes several times as long.
struct CallMap<Value> {
    private var ids: [theatre_id]
    private var values: [Value?]
    private(set) var count = 0

    init() {
        ids = Array(repeating: 0, count: 16)
        values = Array(repeating: nil, count: 16)
    }

    /// The value of an id; 0 is no id.
    subscript(id: theatre_id) -> Value? { id == 0 ? nil : values[place(of: id)] }

    /// An id that is there already has its value replaced; 0 is no id and not kept.
    mutating func insert(_ value: Value, for id: theatre_id) {
        guard id != 0 else { return }
        if (count + 1) * 2 > ids.count { grow() }
        let place = place(of: id)
        if ids[place] == 0 { count += 1 }
        ids[place] = id
        values[place] = value
    }

    mutating func remove(_ id: theatre_id) {
        guard id != 0 else { return }
        var hole = place(of: id)
        guard ids[hole] == id else { return }
        count -= 1
        // What was pushed past the hole moves up, so that a search may end at the first free place.
        var next = after(hole)
        while ids[next] != 0 {
            if (next &- home(of: ids[next])) & mask >= (next &- hole) & mask {
                ids[hole] = ids[next]
                values.swapAt(hole, next)
                hole = next
            }
            next = after(next)
        }
        ids[hole] = 0
        values[hole] = nil
    }

    private var mask: Int { ids.count - 1 }
    /// Spreads ids whose low bits are all alike.
    private func home(of id: theatre_id) -> Int { Int(truncatingIfNeeded: (id &* 0x9e37_79b9_7f4a_7c15) >> 40) & mask }
    private func after(_ place: Int) -> Int { (place + 1) & mask }

    /// Where the id is, or where it would be put.
    private func place(of id: theatre_id) -> Int {
        var place = home(of: id)
        while ids[place] != id, ids[place] != 0 { place = after(place) }
        return place
    }

    private mutating func grow() {
        let (oldIDs, oldValues) = (ids, values)
        ids = Array(repeating: 0, count: oldIDs.count * 2)
        values = Array(repeating: nil, count: oldIDs.count * 2)
        for (id, value) in zip(oldIDs, oldValues) where id != 0 {
            let place = place(of: id)
            ids[place] = id
            values[place] = value
        }
    }
}
