// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreContracts

/// Where an answer says what its call used: field numbers, so that nothing but them is read of it.
public struct UsageLayout: Sendable, Hashable {
    /// A count of usage.
    public struct Unit: Sendable, Hashable {
        /// Its field's name: `input_tokens`.
        public let name: String
        /// The unit that it is a part of.
        public let partOf: String?
    }

    /// By field number.
    public let units: [UInt32: Unit]
    private let path: [UInt32]
    private let id: [UInt32]

    /// What the contract says of an operation; nil where it says nothing, or names fields that are not there.
    public init?(of operation: OperationDescription, in catalog: ContractCatalog) {
        guard let (path, last) = Self.resolve(operation.usage, from: operation.output, catalog),
            case .message(let name)? = last, let usage = catalog.message(name)
        else { return nil }
        self.path = path
        id = Self.resolve(operation.usageID, from: operation.output, catalog)?.path ?? []
        units = Dictionary(
            usage.fields.filter { $0.type == .int64 && !$0.isRepeated }.map {
                (UInt32($0.number), Unit(name: $0.name, partOf: $0.rules.partOf.isEmpty ? nil : $0.rules.partOf))
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Which unit is a part of which.
    public var parts: [String: String] {
        Dictionary(units.values.compactMap { unit in unit.partOf.map { (unit.name, $0) } }) { first, _ in first }
    }

    /// What a message says was used, and which work it was where several answers tell of the same; nil where it does not
    /// say it, or cannot be read.
    public func read(_ message: UnsafeRawBufferPointer) -> (counts: [String: Int64], id: String)? {
        guard let usage = Self.find(path, in: message) else { return nil }
        var counts: [String: Int64] = [:]
        var reader = WireReader(usage.bindMemory(to: UInt8.self))
        while !reader.isAtEnd {
            guard let item = try? reader.next() else { return nil }
            guard item.type == 0, let unit = units[item.number] else { continue }
            let value = Int64(bitPattern: item.raw)
            if value > 0 { counts[unit.name] = value }
        }
        let name = id.isEmpty ? nil : Self.find(id, in: message).map { String(decoding: $0, as: UTF8.self) }
        return (counts, name ?? "")
    }

    private static func find(_ path: [UInt32], in message: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var place = message
        for number in path {
            var reader = WireReader(place.bindMemory(to: UInt8.self))
            var found: Range<Int>?
            while !reader.isAtEnd {
                guard let item = try? reader.next() else { return nil }
                if item.type == 2, item.number == number { found = item.range }
            }
            guard let found else { return nil }
            place = UnsafeRawBufferPointer(rebasing: place[found])
        }
        return place
    }

    private static func resolve(
        _ names: String, from message: String, _ catalog: ContractCatalog
    ) -> (path: [UInt32], last: FieldType?)? {
        guard !names.isEmpty else { return nil }
        var path: [UInt32] = [], type = FieldType.message(message)
        for name in names.split(separator: ".") {
            guard case .message(let owner) = type,
                let field = catalog.message(owner)?.fields.first(where: { $0.name == name }), !field.isRepeated
            else { return nil }
            path.append(UInt32(field.number))
            type = field.type
        }
        return (path, type)
    }
}
