// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CPostgreSQL
import SwiftProtobuf
import TheatreContracts
import TheatreStorage

/// Collects the rows of one statement within bounds, or hands them on in batches.
struct RowCollector {
    private var rows = SQLRows()
    private var hasColumns = false
    private var types: [UInt32] = []
    private let bounds: Bounds
    private let sink: (any RowSink)?
    private var count = 0
    private var bytes = 0
    private var batchBytes = 0
    /// The sink has no room for another batch.
    var mustWait = false

    private static let batchRows = 256
    private static let batchSize = 48 << 10

    init(bounds: Bounds, sink: (any RowSink)?) {
        self.bounds = bounds
        self.sink = sink
    }

    /// Takes the rows of one result; why no more are wanted.
    mutating func take(_ result: OpaquePointer) -> ExchangeOutcome.Ending? {
        if !hasColumns {
            hasColumns = true
            let columns = PQnfields(result)
            types = (0..<columns).map { PQftype(result, $0) }
            rows.columns = (0..<columns).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
        }
        for row in 0..<PQntuples(result) {
            if let ending = take(row, result) { return ending }
        }
        if let sink, rows.rows.count >= Self.batchRows || batchBytes >= Self.batchSize { handOn(sink) }
        return nil
    }

    private mutating func take(_ row: Int32, _ result: OpaquePointer) -> ExchangeOutcome.Ending? {
        count += 1
        if count > bounds.rows { return .tooManyRows }
        var values: [SQLValue] = []
        values.reserveCapacity(types.count)
        var size = 0
        for (column, type) in types.enumerated() {
            let column = Int32(column)
            size += 12
            if PQgetisnull(result, row, column) == 1 {
                values.append(SQLValue())
                continue
            }
            let length = Int(PQgetlength(result, row, column))
            size += length
            guard let base = PQgetvalue(result, row, column) else { return .unreadable(column: "") }
            let value = base.withMemoryRebound(to: UInt8.self, capacity: length) {
                WireField(bytes: UnsafeBufferPointer(start: $0, count: length), type: type).value()
            }
            guard let value else { return .unreadable(column: rows.columns[Int(column)]) }
            values.append(value)
        }
        bytes += size
        batchBytes += size
        // A stream has no bound on all, but one on each row: a message must hold it.
        if (sink == nil ? bytes : size) > bounds.bytes { return .tooLarge }
        rows.rows.append(.with { $0.values = values })
        return nil
    }

    private mutating func handOn(_ sink: any RowSink) {
        mustWait = !sink.take(rows)
        rows = SQLRows()
        batchBytes = 0
    }

    /// What is left once the last result has come.
    mutating func finish(_ result: OpaquePointer) -> SQLRows {
        // Of a SELECT the number says how many rows it gave, and nothing was changed.
        let command = PQcmdStatus(result).map { String(cString: $0) } ?? ""
        let changes = ["INSERT", "UPDATE", "DELETE", "MERGE"].contains { command.hasPrefix($0) }
        if changes, let text = PQcmdTuples(result) { rows.changed = UInt32(String(cString: text)) ?? 0 }
        return rows
    }
}
