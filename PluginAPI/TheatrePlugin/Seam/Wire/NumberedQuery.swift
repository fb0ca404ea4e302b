// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreContracts

/// A `theatre.sql.v1.QueryRequest` of a statement by number, read where it lies: the bytes must live as long as this.
package struct NumberedQuery {
    /// The statement's number, not 0.
    package private(set) var number: UInt64 = 0
    /// 0 for the default.
    package private(set) var maxRows: UInt32 = 0
    private let statement: UnsafeRawBufferPointer

    /// Nil for any other query, and where the bytes are not quite as expected.
    package init?(wire bytes: UnsafeRawBufferPointer) {
        var statement: UnsafeRawBufferPointer?
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            switch reader.varint() {
            case 10 where statement == nil: statement = reader.field()
            case 16:
                guard let count = reader.word() else { return nil }
                maxRows = count
            case 24, 32: guard reader.word() != nil else { return nil }
            default: return nil
            }
        }
        guard let statement else { return nil }
        self.statement = statement
        var inner = WireReader(statement)
        while !inner.isAtEnd {
            switch inner.varint() {
            case 18: guard inner.field() != nil else { return nil }
            case 32:
                guard let id = inner.varint() else { return nil }
                number = id
            default: return nil
            }
        }
        guard number != 0 else { return nil }
    }

    /// Its parameters in order, ?1 first.
    package var parameters: Parameters { Parameters(reader: WireReader(statement)) }

    /// A parameter where it lies.
    package enum Parameter {
        case null
        case integer(Int64)
        case real(Double)
        /// UTF-8 without a zero byte.
        case text(UnsafeRawBufferPointer)
        case blob(UnsafeRawBufferPointer)
        /// What needs a closer look than is taken here.
        case other
    }

    /// Gives one parameter after the other.
    package struct Parameters: IteratorProtocol {
        fileprivate var reader: WireReader

        /// Nil behind the last.
        package mutating func next() -> Parameter? {
            while !reader.isAtEnd {
                guard let tag = reader.varint() else { return .other }
                guard tag == 18 else {
                    // The number, which was read before.
                    guard reader.varint() != nil else { return .other }
                    continue
                }
                return reader.field().map { Self.parameter($0) } ?? .other
            }
            return nil
        }

        private static func parameter(_ bytes: UnsafeRawBufferPointer) -> Parameter {
            var reader = WireReader(bytes)
            if reader.isAtEnd { return .null }
            let value: Parameter
            switch reader.varint() {
            case 8, 40: value = reader.varint().map { .integer(Int64(bitPattern: $0)) } ?? .other
            case 17: value = reader.double().map { .real($0) } ?? .other
            case 26:
                guard let text = reader.field(), WireReader.isText(text), !text.contains(0) else { return .other }
                value = .text(text)
            case 34: value = reader.field().map { .blob($0) } ?? .other
            default: return .other
            }
            return reader.isAtEnd ? value : .other
        }
    }
}
