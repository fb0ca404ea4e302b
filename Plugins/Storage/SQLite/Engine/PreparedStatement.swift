// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatreStorage

/// A statement that SQLite compiled; it lives in the cache of its connection.
final class PreparedStatement {
    let handle: OpaquePointer
    let text: SQLText

    init(_ handle: OpaquePointer, _ text: SQLText) {
        self.handle = handle
        self.text = text
    }

    deinit { sqlite3_finalize(handle) }

    /// Ready to run again, holding no values and no snapshot.
    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    /// Binds a copy of `value`; the code is SQLite's.
    func bind(_ value: SQLValue, at index: Int32) -> Int32 {
        switch value.kind {
        case nil: return sqlite3_bind_null(handle, index)
        case .integer(let integer), .timestamp(let integer): return sqlite3_bind_int64(handle, index, integer)
        case .real(let real): return sqlite3_bind_double(handle, index, real)
        case .text(var text), .json(var text):
            return text.withUTF8 { buffer in
                buffer.withMemoryRebound(to: CChar.self) {
                    // An empty string may have no address, and a null address would bind NULL.
                    guard let base = $0.baseAddress else { return csqlite_bind_text(handle, index, "", 0) }
                    return csqlite_bind_text(handle, index, base, UInt64($0.count))
                }
            }
        case .blob(let data):
            return data.withUnsafeBytes { csqlite_bind_blob(handle, index, $0.baseAddress, UInt64($0.count)) }
        }
    }
}

/// How long an answer may be.
struct Bounds: Sendable {
    var rows: Int
    var bytes: Int

    /// For the engine's own statements.
    static let none = Bounds(rows: .max, bytes: .max)
}

/// Collects the rows of a statement within bounds.
struct RowCollector {
    var rows = SQLRows()
    private let handle: OpaquePointer
    private let bounds: Bounds
    private(set) var bytes = 0
    private let columns: Int32

    init(_ handle: OpaquePointer, _ bounds: Bounds) {
        self.handle = handle
        self.bounds = bounds
        columns = sqlite3_column_count(handle)
        rows.columns = (0..<columns).map { sqlite3_column_name(handle, $0).map { String(cString: $0) } ?? "" }
    }

    /// Adds the row the statement stands on.
    mutating func take() throws(StorageError) {
        guard rows.rows.count < bounds.rows else {
            throw StorageError(
                .outOfRange, "sql.too_many_rows", "The statement gives more than \(bounds.rows) rows; ask for a page.")
        }
        var row = SQLRow()
        row.values.reserveCapacity(Int(columns))
        for column in 0..<columns { row.values.append(value(column)) }
        guard bytes <= bounds.bytes else {
            throw StorageError(
                .outOfRange, "sql.too_large",
                "The rows are larger than \(bounds.bytes) bytes; ask for fewer or for less of each.")
        }
        rows.rows.append(row)
    }

    private mutating func value(_ column: Int32) -> SQLValue {
        bytes += 12
        switch sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER: return SQLValue(sqlite3_column_int64(handle, column))
        case SQLITE_FLOAT: return SQLValue(real: sqlite3_column_double(handle, column))
        case SQLITE_TEXT:
            guard let base = sqlite3_column_text(handle, column) else { return SQLValue(String()) }
            let count = Int(sqlite3_column_bytes(handle, column))
            bytes += count
            return SQLValue(String(decoding: UnsafeBufferPointer(start: base, count: count), as: UTF8.self))
        case SQLITE_BLOB:
            let count = Int(sqlite3_column_bytes(handle, column))
            bytes += count
            return SQLValue(sqlite3_column_blob(handle, column).map { Data(bytes: $0, count: count) } ?? Data())
        default: return SQLValue()
        }
    }
}
