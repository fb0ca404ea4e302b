// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import TheatrePlugin
import TheatreStorage

/// Writes the rows of a statement as a message `theatre.sql.v1.Rows`, from where SQLite has them: what
/// ``RowCollector`` gives, without its values in between.
struct RowEncoder {
    private let handle: OpaquePointer
    private let bounds: Bounds
    private let buffer: RowBuffer
    private let columns: Int32
    private var rows = 0
    /// As ``RowCollector`` counts them.
    private var counted = 0

    /// Nobody else uses `buffer` for as long as this is.
    init(_ statement: PreparedStatement, _ bounds: Bounds, _ buffer: RowBuffer) {
        handle = statement.handle
        self.bounds = bounds
        self.buffer = buffer
        let names = statement.encodedColumns
        columns = sqlite3_column_count(handle)
        buffer.removeAll()
        buffer.reserve(names.count)
        names.withUnsafeBytes { buffer.append($0) }
    }

    /// What a message begins with whose columns have these names.
    static func encoded(_ names: [String]) -> [UInt8] {
        let buffer = RowBuffer()
        for name in names {
            buffer.reserve(11 + name.utf8.count)
            buffer.append(10)
            buffer.append(number: UInt64(name.utf8.count))
            var name = name
            name.withUTF8 { buffer.append(UnsafeRawBufferPointer($0)) }
        }
        return buffer.bytes
    }

    /// The message so far.
    var bytes: [UInt8] { buffer.bytes }

    /// Adds the row the statement stands on; false where a text is not UTF-8, which no message can hold.
    mutating func take() throws(StorageError) -> Bool {
        guard rows < bounds.rows else { throw bounds.tooManyRows }
        rows += 1
        buffer.reserve(2)
        buffer.append(18)
        let place = buffer.count
        buffer.append(0)
        for column in 0..<columns {
            guard try append(column) else { return false }
        }
        guard counted <= bounds.bytes else { throw bounds.tooLarge }
        buffer.writeLength(at: place)
        return true
    }

    /// A `theatre.sql.v1.Value`.
    private mutating func append(_ column: Int32) throws(StorageError) -> Bool {
        counted += 12
        buffer.reserve(16)
        buffer.append(10)
        switch sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER:
            let number = UInt64(bitPattern: sqlite3_column_int64(handle, column))
            let place = buffer.count
            buffer.append(0)
            buffer.append(8)
            buffer.append(number: number)
            buffer.writeLength(at: place)
        case SQLITE_FLOAT:
            buffer.append(9)
            buffer.append(17)
            buffer.append(word: sqlite3_column_double(handle, column).bitPattern)
        case SQLITE_TEXT:
            let base = sqlite3_column_text(handle, column)
            let count = base == nil ? 0 : Int(sqlite3_column_bytes(handle, column))
            let text = UnsafeRawBufferPointer(start: base, count: count)
            guard WireReader.isText(text) else { return false }
            try append(text, tag: 26)
        case SQLITE_BLOB:
            let base = sqlite3_column_blob(handle, column)
            let count = Int(sqlite3_column_bytes(handle, column))
            try append(UnsafeRawBufferPointer(start: base, count: count), tag: 34)
        default: buffer.append(0)
        }
        return true
    }

    private mutating func append(_ field: UnsafeRawBufferPointer, tag: UInt8) throws(StorageError) {
        counted += field.count
        // Before it is copied.
        guard counted <= bounds.bytes else { throw bounds.tooLarge }
        buffer.reserve(field.count + 24)
        buffer.append(number: UInt64(1 + WireWriter.size(UInt64(field.count)) + field.count))
        buffer.append(tag)
        buffer.append(number: UInt64(field.count))
        buffer.append(field)
    }
}
