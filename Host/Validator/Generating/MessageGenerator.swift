// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreContracts
internal import Transcoding

/// Makes messages of a contract's types out of a seed.
struct MessageGenerator {
    /// What values it prefers.
    enum Style: Sendable {
        /// Within every rule of the contract.
        case sound
        /// At and beyond the edges of what the types hold; the rules are not minded.
        case odd
    }

    private let catalog: ContractCatalog
    private var numbers: SeededNumbers
    var style: Style
    /// Stands in every field that the contract marks secret.
    var secret: String?

    init(_ catalog: ContractCatalog, _ numbers: SeededNumbers, style: Style = .sound) {
        self.catalog = catalog
        self.numbers = numbers
        self.style = style
    }

    /// One message of that full name.
    mutating func message(_ name: String) -> [UInt8] {
        var writer = WireWriter(capacity: 64)
        write(name, into: &writer, depth: 0)
        return writer.bytes
    }

    private mutating func write(_ name: String, into writer: inout WireWriter, depth: Int) {
        guard let message = catalog.message(name) else { return }
        var chosen: [Int: Int] = [:]
        for oneof in message.oneofs.indices {
            let members = message.fields.indices.filter { message.fields[$0].oneof == oneof }
            if let pick = members.randomElement(using: &numbers) { chosen[oneof] = pick }
        }
        for (index, field) in message.fields.enumerated() {
            if let oneof = field.oneof, chosen[oneof] != index { continue }
            guard field.rules.required || field.oneof != nil || numbers.chance(depth == 0 ? 80 : 60) else { continue }
            let count = field.isRepeated ? self.count(field, depth) : 1
            for _ in 0..<count { value(of: field, into: &writer, depth: depth) }
        }
    }

    private mutating func count(_ field: FieldDescription, _ depth: Int) -> Int {
        let least = Int(field.rules.minLength)
        let most = field.rules.maxLength == 0 ? least + 3 : min(Int(field.rules.maxLength), least + 3)
        guard depth < 6 else { return least }
        return style == .odd && numbers.chance(20) ? 40 : Int.random(in: least...max(most, least), using: &numbers)
    }

    private mutating func value(of field: FieldDescription, into writer: inout WireWriter, depth: Int) {
        let number = UInt32(field.number)
        switch field.type {
        case .message(let name):
            guard depth < 8 else { return }
            writer.tag(number, 2)
            let start = writer.open()
            write(name, into: &writer, depth: depth + 1)
            writer.close(start)
        case .string: write(number, Array(text(field).utf8), into: &writer)
        case .bytes:
            write(
                number, (0..<length(field)).map { _ in UInt8.random(in: .min ... .max, using: &numbers) }, into: &writer
            )
        case .double:
            writer.tag(number, 1)
            writer.fixed64(real().bitPattern)
        case .float:
            writer.tag(number, 5)
            writer.fixed32(Float(real()).bitPattern)
        case .fixed64, .sfixed64:
            writer.tag(number, 1)
            writer.fixed64(UInt64(bitPattern: integer(field)))
        case .fixed32, .sfixed32:
            writer.tag(number, 5)
            writer.fixed32(UInt32(truncatingIfNeeded: integer(field)))
        case .bool:
            writer.tag(number, 0)
            writer.varint(numbers.chance(50) ? 1 : 0)
        case .sint32, .sint64:
            let value = integer(field)
            writer.tag(number, 0)
            writer.varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
        case .enumeration(let name):
            writer.tag(number, 0)
            writer.varint(UInt64(bitPattern: Int64(choice(name))))
        case .int32, .uint32, .int64, .uint64:
            writer.tag(number, 0)
            writer.varint(UInt64(bitPattern: integer(field)))
        case .group: return
        }
    }

    private func write(_ number: UInt32, _ bytes: [UInt8], into writer: inout WireWriter) {
        writer.tag(number, 2)
        writer.varint(UInt64(bytes.count))
        bytes.withUnsafeBufferPointer { writer.append($0) }
    }

    private mutating func choice(_ name: String) -> Int32 {
        if style == .odd, numbers.chance(30) { return 9999 }
        return catalog.enumeration(name)?.values.randomElement(using: &numbers)?.number ?? 0
    }

    private mutating func integer(_ field: FieldDescription) -> Int64 {
        let is64 = [.int64, .uint64, .sint64, .fixed64, .sfixed64].contains(field.type)
        // Time enough, or what is none: how long a call takes here is not what a check is about.
        if field.name.hasSuffix("timeout_ms"), !field.rules.hasMax {
            return style == .odd && numbers.chance(50) ? Int64(UInt32.max) : 60_000
        }
        if style == .odd {
            let edges: [Int64] = is64 ? [0, 1, -1, .max, .min] : [0, 1, Int64(Int32.max), -1]
            if let edge = edges.randomElement(using: &numbers), numbers.chance(60) {
                return field.type == .uint32 ? edge & 0xFFFF_FFFF : edge
            }
        }
        // Times to come, in milliseconds: what has lapsed is refused before anything else.
        if is64, field.name.hasSuffix("_until") || field.name.hasSuffix("_at") { return 4_102_444_800_000 }
        if field.rules.timestamp { return 1_750_000_000_000 + Int64.random(in: 0...1_000_000, using: &numbers) }
        let least = field.rules.hasMin ? field.rules.min : 0
        let most = field.rules.hasMax ? field.rules.max : max(least, 100)
        return Int64.random(in: least...max(least, most), using: &numbers)
    }

    private mutating func real() -> Double {
        if style == .odd { return [.nan, .infinity, -.infinity, 0, -0.0, 1e308].randomElement(using: &numbers) ?? 0 }
        return Double.random(in: 0...1, using: &numbers)
    }

    private mutating func length(_ field: FieldDescription) -> Int {
        let least = Int(field.rules.minLength)
        let most = field.rules.maxLength == 0 ? least + 24 : min(Int(field.rules.maxLength), least + 24)
        return Int.random(in: least...max(least, most), using: &numbers)
    }

    private mutating func text(_ field: FieldDescription) -> String {
        if field.rules.secret, let secret { return secret }
        if let value = field.rules.values.randomElement(using: &numbers), style == .sound { return value }
        if field.rules.json { return #"{"a": 1}"# }
        if style == .odd, let odd = Self.odd.randomElement(using: &numbers), numbers.chance(60) { return odd }
        let room = field.rules.maxLength == 0 ? 200 : Int(field.rules.maxLength)
        if style == .sound, numbers.chance(60), let known = FamiliarValues.text(field.name, &numbers),
            known.count <= room
        {
            return known
        }
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<length(field)).map { _ in letters.randomElement(using: &numbers) ?? "a" })
    }

    private static let odd = [
        "", " ", "\u{0}", "汴京", "e\u{301}", "\u{202E}abc", "'; --", "{}", "%00", "null", "-1", "\u{FEFF}x",
        String(repeating: "长", count: 5000), "a\nb\r\nc", "${secret:x}", "{entries}",
    ]
}

/// Bytes that are hardly a message.
enum Malformed {
    /// A few ways in which bytes are broken; some may still be a message by chance.
    static func payloads(from sound: [UInt8], _ numbers: inout SeededNumbers) -> [[UInt8]] {
        var cases: [[UInt8]] = [
            [0xFF], [0xFF, 0xFF, 0x07, 0x80], [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x0A, 0x05, 0x61], [0x0B], [0x00],
            [0x0A, 0x02, 0xC3, 0x28], Array(repeating: 0x0A, count: 300),
        ]
        if sound.count > 1 { cases.append(Array(sound.dropLast())) }
        for _ in 0..<4 where !sound.isEmpty {
            var changed = sound
            changed[Int.random(in: 0..<sound.count, using: &numbers)] ^=
                UInt8(1) << UInt8.random(in: 0..<8, using: &numbers)
            cases.append(changed)
        }
        cases.append(
            (0..<Int.random(in: 1...200, using: &numbers)).map { _ in UInt8.random(in: .min ... .max, using: &numbers) }
        )
        return cases
    }
}
