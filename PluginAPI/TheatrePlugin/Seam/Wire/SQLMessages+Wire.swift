// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
package import TheatreContracts

// Fields with their tags, as theatre/sql/v1/sql.proto has them.

extension SQLValue {
    init?(wire bytes: UnsafeRawBufferPointer) {
        self.init()
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            switch reader.varint() {
            case 8: kind = reader.varint().map { .integer(Int64(bitPattern: $0)) }
            case 17: kind = reader.double().map { .real($0) }
            case 26: kind = reader.text().map { .text($0) }
            case 34: kind = reader.data().map { .blob($0) }
            case 40: kind = reader.varint().map { .timestamp(Int64(bitPattern: $0)) }
            case 50: kind = reader.text().map { .json($0) }
            default: return nil
            }
            guard kind != nil else { return nil }
        }
    }

    var wireSize: Int {
        switch kind {
        case nil: 0
        case .integer(let number), .timestamp(let number): 1 + WireWriter.size(UInt64(bitPattern: number))
        case .real: 9
        case .text(let text), .json(let text): 1 + WireWriter.size(field: text.utf8.count)
        case .blob(let data): 1 + WireWriter.size(field: data.count)
        }
    }

    func write(to writer: inout WireWriter) {
        switch kind {
        case nil: return
        case .integer(let number):
            writer.tag(8)
            writer.varint(UInt64(bitPattern: number))
        case .real(let number):
            writer.tag(17)
            writer.double(number)
        case .text(let text):
            writer.tag(26)
            writer.text(text)
        case .blob(let data):
            writer.tag(34)
            writer.data(data)
        case .timestamp(let number):
            writer.tag(40)
            writer.varint(UInt64(bitPattern: number))
        case .json(let text):
            writer.tag(50)
            writer.text(text)
        }
    }
}

extension SQLStatement {
    init?(wire bytes: UnsafeRawBufferPointer) {
        self.init()
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            switch reader.varint() {
            case 10:
                guard let text = reader.text() else { return nil }
                sql = text
            case 18:
                guard let value = reader.field().flatMap({ SQLValue(wire: $0) }) else { return nil }
                parameters.append(value)
            case 24:
                guard let count = reader.word() else { return nil }
                expect = count
            case 32:
                guard let number = reader.varint() else { return nil }
                statementID = number
            default: return nil
            }
        }
    }

    /// Whether it holds nothing that is not known here.
    var isPlain: Bool {
        for value in parameters where !value.unknownFields.data.isEmpty { return false }
        return unknownFields.data.isEmpty
    }

    var wireSize: Int {
        var size = sql.isEmpty ? 0 : 1 + WireWriter.size(field: sql.utf8.count)
        for value in parameters { size += 1 + WireWriter.size(field: value.wireSize) }
        if hasExpect { size += 1 + WireWriter.size(UInt64(expect)) }
        if statementID != 0 { size += 1 + WireWriter.size(statementID) }
        return size
    }

    func write(to writer: inout WireWriter) {
        if !sql.isEmpty {
            writer.tag(10)
            writer.text(sql)
        }
        for value in parameters {
            writer.tag(18)
            writer.varint(UInt64(value.wireSize))
            value.write(to: &writer)
        }
        if hasExpect {
            writer.tag(24)
            writer.varint(UInt64(expect))
        }
        if statementID != 0 {
            writer.tag(32)
            writer.varint(statementID)
        }
    }
}

extension SQLQueryRequest {
    /// Nil where only protobuf can read it.
    package init?(wire bytes: UnsafeRawBufferPointer) {
        self.init()
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            switch reader.varint() {
            case 10 where !hasStatement:
                guard let message = reader.field().flatMap({ SQLStatement(wire: $0) }) else { return nil }
                statement = message
            case 16:
                guard let count = reader.word() else { return nil }
                maxRows = count
            case 24:
                guard let time = reader.word() else { return nil }
                timeoutMs = time
            case 32:
                guard let time = reader.word() else { return nil }
                maxStalenessMs = time
            default: return nil
            }
        }
    }

    /// Nil where it holds what only protobuf can write.
    var wire: [UInt8]? {
        let statement = statement
        guard unknownFields.data.isEmpty, hasStatement, statement.isPlain else { return nil }
        let inner = statement.wireSize
        var size = 1 + WireWriter.size(field: inner)
        let numbers = [(UInt8(16), maxRows), (24, timeoutMs), (32, maxStalenessMs)]
        for (_, number) in numbers where number != 0 { size += 1 + WireWriter.size(UInt64(number)) }
        return WireWriter.bytes(size) { writer in
            writer.tag(10)
            writer.varint(UInt64(inner))
            statement.write(to: &writer)
            for (tag, number) in numbers where number != 0 {
                writer.tag(tag)
                writer.varint(UInt64(number))
            }
        }
    }
}

extension ReadOptions {
    /// A `theatre.sql.v1.QueryRequest` of a statement by number; nil where a value holds what only protobuf can write.
    func wire(_ number: UInt64, _ parameters: [SQLValue]) -> [UInt8]? {
        var inner = 1 + WireWriter.size(number)
        for value in parameters {
            guard value.unknownFields.data.isEmpty else { return nil }
            inner += 1 + WireWriter.size(field: value.wireSize)
        }
        let timeoutMs = timeout?.milliseconds ?? 0
        let maxStalenessMs = maxStaleness == .zero ? 0 : maxStaleness.milliseconds
        var size = 1 + WireWriter.size(field: inner)
        if maxRows != 0 { size += 1 + WireWriter.size(UInt64(maxRows)) }
        if timeoutMs != 0 { size += 1 + WireWriter.size(UInt64(timeoutMs)) }
        if maxStalenessMs != 0 { size += 1 + WireWriter.size(UInt64(maxStalenessMs)) }
        return WireWriter.bytes(size) { writer in
            writer.tag(10)
            writer.varint(UInt64(inner))
            for value in parameters {
                writer.tag(18)
                writer.varint(UInt64(value.wireSize))
                value.write(to: &writer)
            }
            writer.tag(32)
            writer.varint(number)
            writer.number(16, maxRows)
            writer.number(24, timeoutMs)
            writer.number(32, maxStalenessMs)
        }
    }
}

extension Rows {
    /// Nil where only protobuf can read it. `columns` are those that are expected: where they are the same nothing is
    /// made of their names.
    init?(wire bytes: UnsafeRawBufferPointer, columns expected: [String]) {
        var names = expected
        var known = 0
        var rows: [[SQLValue]] = []
        var changed: UInt32 = 0
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            switch reader.varint() {
            case 10:
                guard let name = reader.field() else { return nil }
                if known < names.count, names[known].isSpelled(name) {
                    known += 1
                } else {
                    guard let name = WireReader.text(name) else { return nil }
                    names.removeSubrange(known...)
                    names.append(name)
                    known += 1
                }
            case 18:
                guard let row = reader.field(), let values = Self.values(row, count: known) else { return nil }
                rows.append(values)
            case 24:
                guard let count = reader.word() else { return nil }
                changed = count
            default: return nil
            }
        }
        if known < names.count { names.removeSubrange(known...) }
        self.init(columns: names, rows: rows, changed: Int(changed))
    }

    private static func values(_ row: UnsafeRawBufferPointer, count: Int) -> [SQLValue]? {
        var values: [SQLValue] = []
        values.reserveCapacity(count)
        var reader = WireReader(row)
        while !reader.isAtEnd {
            guard reader.varint() == 10, let value = reader.field().flatMap({ SQLValue(wire: $0) }) else { return nil }
            values.append(value)
        }
        return values
    }
}

extension String {
    /// Whether these are its bytes.
    fileprivate func isSpelled(_ bytes: UnsafeRawBufferPointer) -> Bool {
        utf8.count == bytes.count && utf8.elementsEqual(bytes)
    }
}

extension SQLRow {
    init?(wire bytes: UnsafeRawBufferPointer) {
        self.init()
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            guard reader.varint() == 10, let value = reader.field().flatMap({ SQLValue(wire: $0) }) else { return nil }
            values.append(value)
        }
    }

    var wireSize: Int {
        var size = 0
        for value in values { size += 1 + WireWriter.size(field: value.wireSize) }
        return size
    }
}

extension SQLRows {
    init?(wire bytes: UnsafeRawBufferPointer) {
        self.init()
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            switch reader.varint() {
            case 10:
                guard let name = reader.text() else { return nil }
                columns.append(name)
            case 18:
                guard let row = reader.field().flatMap({ SQLRow(wire: $0) }) else { return nil }
                rows.append(row)
            case 24:
                guard let count = reader.word() else { return nil }
                changed = count
            default: return nil
            }
        }
    }

    /// Whether it holds nothing that is not known here.
    var isPlain: Bool {
        for row in rows {
            guard row.unknownFields.data.isEmpty else { return false }
            for value in row.values where !value.unknownFields.data.isEmpty { return false }
        }
        return unknownFields.data.isEmpty
    }

    /// Nil where it holds what only protobuf can write.
    package var wire: [UInt8]? {
        guard isPlain else { return nil }
        return WireWriter.bytes(wireSize) { write(to: &$0) }
    }

    var wireSize: Int {
        var size = changed == 0 ? 0 : 1 + WireWriter.size(UInt64(changed))
        for name in columns { size += 1 + WireWriter.size(field: name.utf8.count) }
        for row in rows { size += 1 + WireWriter.size(field: row.wireSize) }
        return size
    }

    func write(to writer: inout WireWriter) {
        for name in columns {
            writer.tag(10)
            writer.text(name)
        }
        for row in rows {
            writer.tag(18)
            writer.varint(UInt64(row.wireSize))
            for value in row.values {
                writer.tag(10)
                writer.varint(UInt64(value.wireSize))
                value.write(to: &writer)
            }
        }
        writer.number(24, changed)
    }
}
