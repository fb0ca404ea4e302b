// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Writes the JSON of a message: one pass over the bytes notes where fields are, one over the plan prints them.
struct ResponseWriter {
    let plans: [MessagePlan]
    var output: [UInt8] = []

    init(plans: [MessagePlan], capacity: Int) {
        self.plans = plans
        output.reserveCapacity(capacity)
    }

    /// What the first pass found of a field.
    struct Slot {
        var count = 0
        var raw: UInt64 = 0
        /// The last value's bytes.
        var range = 0..<0
        /// Where the first item begins.
        var first = 0
    }

    mutating func message(_ plan: Int, _ bytes: UnsafeBufferPointer<UInt8>, depth: Int) throws(TranscodingError) {
        guard depth > 0 else { throw .wire("nested too deep") }
        let slots = try scan(plan, bytes)
        output.append(UInt8(ascii: "{"))
        for index in slots.indices {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            output.append(contentsOf: plans[plan].fields[index].jsonKey)
            do throws(TranscodingError) {
                try field(plans[plan].fields[index], slots[index], bytes, depth)
            } catch { throw error.under(plans[plan].fields[index].name) }
        }
        output.append(UInt8(ascii: "}"))
    }

    private func scan(_ plan: Int, _ bytes: UnsafeBufferPointer<UInt8>) throws(TranscodingError) -> [Slot] {
        let fields = plans[plan].fields
        var slots = [Slot](repeating: Slot(), count: fields.count)
        var reader = WireReader(bytes)
        var guess = 0
        while !reader.isAtEnd {
            let start = reader.position
            let item = try reader.next()
            if guess >= fields.count || fields[guess].number != item.number {
                // A newer plugin may send fields that this contract does not know.
                guard let found = fields.firstIndex(where: { $0.number == item.number }) else { continue }
                guess = found
            }
            let field = fields[guess]
            guard item.type == field.wireType || (field.isPackable && item.type == 2) else {
                throw TranscodingError.wire("of another type on the wire").under(field.name)
            }
            if !field.oneof.isEmpty {
                for other in fields.indices where other != guess && field.oneof.contains(other) {
                    slots[other] = Slot()
                }
            }
            if slots[guess].count == 0 { slots[guess].first = start }
            slots[guess].count += 1
            slots[guess].raw = item.raw
            slots[guess].range = item.range
            if !field.isRepeated { guess += 1 }
        }
        return slots
    }

    private mutating func field(
        _ field: FieldPlan, _ slot: Slot, _ bytes: UnsafeBufferPointer<UInt8>, _ depth: Int
    ) throws(TranscodingError) {
        if case .map(let plan) = field.kind { return try map(field, plan, slot, bytes, depth) }
        if field.isRepeated { return try list(field, slot, bytes, depth) }
        if slot.count == 0, field.hasPresence { return null() }
        if case .message(let plan) = field.kind {
            guard slot.count > 1 else { return try message(plan, sub(bytes, slot.range), depth: depth - 1) }
            // Protobuf merges a message that is there twice, which is what reading one after the other does.
            let joined = try self.joined(field, slot, bytes)
            let result: Result<Void, TranscodingError> = joined.withUnsafeBufferPointer { joined in
                Result { () throws(TranscodingError) in try message(plan, joined, depth: depth - 1) }
            }
            return try result.get()
        }
        try scalar(field, slot.raw, sub(bytes, slot.range))
    }

    private func sub(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: bytes[range])
    }

    private func joined(
        _ field: FieldPlan, _ slot: Slot, _ bytes: UnsafeBufferPointer<UInt8>
    ) throws(TranscodingError) -> [UInt8] {
        var joined: [UInt8] = []
        var reader = WireReader(sub(bytes, slot.first..<bytes.count))
        while !reader.isAtEnd {
            let item = try reader.next()
            if item.number == field.number { joined.append(contentsOf: sub(reader.bytes, item.range)) }
        }
        return joined
    }

    mutating func null() { output.append(contentsOf: "null".utf8) }

    private mutating func list(
        _ field: FieldPlan, _ slot: Slot, _ bytes: UnsafeBufferPointer<UInt8>, _ depth: Int
    ) throws(TranscodingError) {
        output.append(UInt8(ascii: "["))
        var left = slot.count
        var count = 0
        var reader = WireReader(sub(bytes, slot.first..<bytes.count))
        while left > 0 {
            let item = try reader.next()
            guard item.number == field.number else { continue }
            left -= 1
            if field.isPackable, item.type == 2 {
                var packed = WireReader(sub(reader.bytes, item.range))
                while !packed.isAtEnd {
                    let width = field.wireType
                    let raw = width == 0 ? try packed.varint() : try packed.fixed(width == 1 ? 8 : 4)
                    if count > 0 { output.append(UInt8(ascii: ",")) }
                    try scalar(field, raw, sub(bytes, 0..<0))
                    count += 1
                }
                continue
            }
            if count > 0 { output.append(UInt8(ascii: ",")) }
            if case .message(let plan) = field.kind {
                try message(plan, sub(reader.bytes, item.range), depth: depth - 2)
            } else {
                try scalar(field, item.raw, sub(reader.bytes, item.range))
            }
            count += 1
        }
        output.append(UInt8(ascii: "]"))
    }

    /// Keys sorted as bytes; of equal keys the last holds.
    private mutating func map(
        _ field: FieldPlan, _ plan: Int, _ slot: Slot, _ bytes: UnsafeBufferPointer<UInt8>, _ depth: Int
    ) throws(TranscodingError) {
        guard plans[plan].fields.count == 2 else { throw .wire("a map without key and value") }
        var entries: [String: [UInt8]] = [:]
        var left = slot.count
        var reader = WireReader(sub(bytes, slot.first..<bytes.count))
        let whole = output
        while left > 0 {
            let item = try reader.next()
            guard item.number == field.number else { continue }
            left -= 1
            let entry = sub(reader.bytes, item.range)
            let slots = try scan(plan, entry)
            output = []
            try self.field(plans[plan].fields[0], slots[0], entry, 1)
            if output.first != UInt8(ascii: "\"") { output = [UInt8(ascii: "\"")] + output + [UInt8(ascii: "\"")] }
            let key = String(decoding: output, as: UTF8.self)
            output = []
            let value = plans[plan].fields[1]
            // An entry without its value has the empty one.
            if case .message(let inner) = value.kind, slots[1].count == 0 {
                try message(inner, sub(entry, 0..<0), depth: depth - 2)
            } else {
                try self.field(value, slots[1], entry, depth - 1)
            }
            entries[key] = output
        }
        output = whole
        output.append(UInt8(ascii: "{"))
        for (index, entry) in entries.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }).enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            output.append(contentsOf: entry.key.utf8)
            output.append(UInt8(ascii: ":"))
            output.append(contentsOf: entry.value)
        }
        output.append(UInt8(ascii: "}"))
    }
}
