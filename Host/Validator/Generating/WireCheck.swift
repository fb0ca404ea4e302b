// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreContracts
internal import Transcoding

/// Whether bytes are one message of a type, as its descriptor says.
struct WireCheck: Sendable {
    private let catalog: ContractCatalog

    init(_ catalog: ContractCatalog) { self.catalog = catalog }

    /// What is wrong with the bytes, half a sentence; nil where they are a message. Unknown fields are allowed.
    func fault(_ bytes: [UInt8], _ message: String) -> String? {
        bytes.withUnsafeBufferPointer { fault($0, message, depth: 0) }
    }

    /// Whether no message of any type has these bytes.
    static func isBroken(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { buffer in
            var reader = WireReader(buffer)
            // Groups are proto2's: a parser of proto3 skips one whose field it does not know, if it is whole.
            var groups: [UInt64] = []
            while !reader.isAtEnd {
                var ahead = reader
                guard let tag = try? ahead.varint() else { return true }
                switch tag & 7 {
                case 3 where (1..<1 << 29).contains(tag >> 3):
                    groups.append(tag >> 3)
                    reader = ahead
                case 4:
                    guard groups.popLast() == tag >> 3 else { return true }
                    reader = ahead
                default: if (try? reader.next()) == nil { return true }
                }
            }
            return !groups.isEmpty
        }
    }

    private func fault(_ bytes: UnsafeBufferPointer<UInt8>, _ name: String, depth: Int) -> String? {
        guard depth < 64 else { return "it nests more than 64 deep" }
        guard let message = catalog.message(name) else { return nil }
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            let item: WireReader.Item
            do { item = try reader.next() } catch { return "\(error)" }
            guard let field = message.fields.first(where: { UInt32($0.number) == item.number }) else { continue }
            let content = UnsafeBufferPointer(rebasing: bytes[item.range])
            if let fault = fault(field, item, content, depth) { return "\(field.name) \(fault)" }
        }
        return nil
    }

    private func fault(
        _ field: FieldDescription, _ item: WireReader.Item, _ content: UnsafeBufferPointer<UInt8>, _ depth: Int
    ) -> String? {
        let expected = field.type.wireType
        if item.type != expected {
            return field.isRepeated && item.type == 2 ? nil : "has wire type \(item.type) instead of \(expected)"
        }
        switch field.type {
        case .string:
            return String(validating: content, as: UTF8.self) == nil ? "is not UTF-8" : nil
        case .message(let name):
            return fault(content, name, depth: depth + 1)
        default: return nil
        }
    }

    /// What a message says, for comparison: as it is, but for the entries of maps, whose order means nothing and differs
    /// from process to process.
    func canonical(_ bytes: [UInt8], _ message: String) -> [UInt8] {
        bytes.withUnsafeBufferPointer { canonical($0, message, depth: 0) }
    }

    private func canonical(_ bytes: UnsafeBufferPointer<UInt8>, _ name: String, depth: Int) -> [UInt8] {
        guard depth < 64, let message = catalog.message(name) else { return Array(bytes) }
        var reader = WireReader(bytes)
        var result: [UInt8] = []
        var entries: [[UInt8]] = [], map: UInt32 = 0
        func flush() {
            for entry in entries.sorted(by: { $0.lexicographicallyPrecedes($1) }) { result += entry }
            entries = []
        }
        while !reader.isAtEnd {
            let item: WireReader.Item
            do { item = try reader.next() } catch { return Array(bytes) }
            let content = UnsafeBufferPointer(rebasing: bytes[item.range])
            var piece = Array("\(item.number):\(item.type):".utf8)
            let field = message.fields.first { UInt32($0.number) == item.number }
            guard let field, item.type == 2, case .message(let inner) = field.type else {
                flush()
                result += piece + content
                continue
            }
            piece += canonical(content, inner, depth: depth + 1)
            if map != item.number { flush() }
            map = item.number
            if catalog.message(inner)?.isMapEntry == true { entries.append(piece) } else { result += piece }
        }
        flush()
        return result
    }

    /// The texts and bytes of a message that its contract does not mark secret.
    func open(_ bytes: [UInt8], _ message: String) -> [[UInt8]] {
        var found: [[UInt8]] = []
        bytes.withUnsafeBufferPointer { collect($0, message, &found, depth: 0) }
        return found
    }

    private func collect(
        _ bytes: UnsafeBufferPointer<UInt8>, _ name: String, _ found: inout [[UInt8]], depth: Int
    ) {
        guard depth < 64, let message = catalog.message(name) else { return }
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            guard let item = try? reader.next() else { return }
            guard let field = message.fields.first(where: { UInt32($0.number) == item.number }), item.type == 2,
                !field.rules.secret
            else { continue }
            let content = UnsafeBufferPointer(rebasing: bytes[item.range])
            if case .message(let inner) = field.type {
                collect(content, inner, &found, depth: depth + 1)
            } else {
                found.append(Array(content))
            }
        }
    }
}

extension FieldType {
    /// How a single value of it is written.
    var wireType: UInt32 {
        switch self {
        case .double, .fixed64, .sfixed64: 1
        case .float, .fixed32, .sfixed32: 5
        case .string, .bytes, .message: 2
        case .group: 3
        default: 0
        }
    }
}
