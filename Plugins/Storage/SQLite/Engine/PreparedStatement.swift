// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin
import TheatreStorage

/// A statement that SQLite compiled; it lives in the cache of its connection.
final class PreparedStatement {
    let handle: OpaquePointer
    let text: SQLText
    private var names: [String] = []
    private var encodedNames: [UInt8] = []
    private var boundTenant: [UInt8]?
    /// How often SQLite had prepared it anew when `names` were read; -1: they were not.
    private var named: Int32 = -1

    init(_ handle: OpaquePointer, _ text: SQLText) {
        self.handle = handle
        self.text = text
    }

    deinit { sqlite3_finalize(handle) }

    /// The names of its columns; a change of the schema may change them.
    var columns: [String] {
        readNames()
        return names
    }

    /// ``columns`` as the beginning of a `theatre.sql.v1.Rows`.
    var encodedColumns: [UInt8] {
        readNames()
        return encodedNames
    }

    private func readNames() {
        let prepared = sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_REPREPARE, 0)
        if prepared != named {
            names = (0..<sqlite3_column_count(handle)).map { column in
                sqlite3_column_name(handle, column).map { String(cString: $0) } ?? ""
            }
            encodedNames = RowEncoder.encoded(names)
            named = prepared
        }
    }

    /// Ready to run again, holding no snapshot and no values but the tenant, which the next run has too as a rule.
    func reset() {
        sqlite3_reset(handle)
        guard boundTenant != nil else { return clear() }
        // The tenant's place is behind all others.
        for index in 0..<text.parameters { sqlite3_bind_null(handle, Int32(index + 1)) }
    }

    /// Holding no values at all.
    private func clear() {
        sqlite3_clear_bindings(handle)
        boundTenant = nil
    }

    /// Binds the tenant, where the statement names it; the code is SQLite's.
    func bind(tenant: String) -> Int32 {
        var tenant = tenant
        return tenant.withUTF8 { bind(tenant: UnsafeRawBufferPointer($0)) }
    }

    /// As ``bind(tenant:)-(String)`` for the UTF-8 of its name, of which a copy is bound.
    private func bind(tenant: UnsafeRawBufferPointer) -> Int32 {
        guard let place = text.tenant, boundTenant?.elementsEqual(tenant) != true else { return SQLITE_OK }
        let code = tenant.withMemoryRebound(to: CChar.self) {
            guard let base = $0.baseAddress else { return csqlite_bind_text(handle, Int32(place), "", 0) }
            return csqlite_bind_text(handle, Int32(place), base, UInt64($0.count))
        }
        boundTenant = code == SQLITE_OK ? [UInt8](tenant) : nil
        return code
    }

    /// Binds what lies elsewhere, where it must stay until ``reset()``; false where that cannot be done, and somebody has
    /// to look closer.
    func bind(lent parameters: NumberedQuery.Parameters, tenant: UnsafeRawBufferPointer) -> Bool {
        var parameters = parameters
        var place: Int32 = 0
        while let value = parameters.next() {
            place += 1
            guard place <= text.parameters, bind(lent: value, at: place) == SQLITE_OK else { return false }
        }
        return place == text.parameters && bind(tenant: tenant) == SQLITE_OK
    }

    private func bind(lent value: NumberedQuery.Parameter, at place: Int32) -> Int32 {
        switch value {
        case .null: sqlite3_bind_null(handle, place)
        case .integer(let integer): sqlite3_bind_int64(handle, place, integer)
        case .real(let real): sqlite3_bind_double(handle, place, real)
        case .text(let text): csqlite_lend_text(handle, place, text.baseAddress, UInt64(text.count))
        case .blob(let blob): csqlite_lend_blob(handle, place, blob.baseAddress, UInt64(blob.count))
        case .other: SQLITE_MISMATCH
        }
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

    var tooManyRows: StorageError {
        StorageError(
            .outOfRange, "sql.too_many_rows", "The statement gives more than \(rows) rows; ask for a page.")
    }
    var tooLarge: StorageError {
        StorageError(
            .outOfRange, "sql.too_large", "The rows are larger than \(bytes) bytes; ask for fewer or for less of each.")
    }
}

/// Collects the rows of a statement within bounds.
struct RowCollector {
    var rows = SQLRows()
    private let handle: OpaquePointer
    private let bounds: Bounds
    private(set) var bytes = 0
    private let columns: Int32

    init(_ statement: PreparedStatement, _ bounds: Bounds) {
        handle = statement.handle
        self.bounds = bounds
        rows.columns = statement.columns
        columns = Int32(rows.columns.count)
    }

    /// Adds the row the statement stands on.
    mutating func take() throws(StorageError) {
        guard rows.rows.count < bounds.rows else {
            throw bounds.tooManyRows
        }
        var row = SQLRow()
        row.values.reserveCapacity(Int(columns))
        for column in 0..<columns { row.values.append(value(column)) }
        guard bytes <= bounds.bytes else {
            throw bounds.tooLarge
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
