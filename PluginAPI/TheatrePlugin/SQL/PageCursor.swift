// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
public import TheatreContracts

/// A place in an ordered list: the key of the last row given, as text that clients hand back without reading it.
///
/// ```swift
/// let rows = try await db.read("… WHERE (at, id) < (?1, ?2) ORDER BY at DESC, id DESC LIMIT 51", after.values[0], after.values[1])
/// response.next = try PageCursor(rows[49], "at", "id").text
/// ```
public struct PageCursor: Sendable, Hashable {
    /// The key, in the order of the list's columns.
    public let values: [SQLValue]

    /// At a key.
    public init(_ values: [SQLValue]) { self.values = values }

    /// At a row, by the columns the list is ordered by.
    public init(_ row: Row, _ columns: String...) throws {
        values = try columns.map { try row.value($0) }
    }

    /// From what a client handed back.
    ///
    /// - Parameter count: how many values the key has.
    /// - Throws: INVALID_ARGUMENT `sql.bad_cursor`.
    public init(text: String, count: Int, field: String = "/cursor") throws {
        guard text.utf8.count <= 4096, let data = Base64URL.decode(text) else { throw Self.bad(field) }
        let row: SQLRow
        do { row = try SQLRow(serializedBytes: data) } catch { throw Self.bad(field) }
        guard row.values.count == count else { throw Self.bad(field) }
        values = row.values
    }

    /// Base64url without padding.
    public var text: String {
        get throws {
            let row = SQLRow.with { $0.values = values }
            let data: Data = try row.serializedBytes()
            return Base64URL.encode(data)
        }
    }

    private static func bad(_ field: String) -> PluginError {
        .invalid(field, "sql.bad_cursor", "This is no cursor of this list; ask for its first page.")
    }
}
