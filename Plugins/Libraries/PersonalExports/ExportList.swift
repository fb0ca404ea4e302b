// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
public import TheatreContracts
public import TheatrePlugin

/// One of the lists that an export is made of, and how it is read from a place on.
public struct ExportList: Sendable {
    /// A row as the person sees it, and its place in the list.
    public struct Item: Sendable {
        let row: any Encodable & Sendable
        let place: [SQLValue]

        /// A row; no other of the list has its place.
        public init(_ row: some Encodable & Sendable, at place: [SQLValue]) {
            self.row = row
            self.place = place
        }
    }

    /// Some of the rows, in their order.
    public struct Batch: Sendable {
        let items: [Item]
        let isLast: Bool

        /// Rows; `isLast` where none come after them.
        public init(_ items: [Item], isLast: Bool) {
            self.items = items
            self.isLast = isLast
        }
    }

    let name: String
    private let columns: [Column]
    let read: @Sendable ([SQLValue]) async throws -> Batch

    /// What a value of a place is.
    public enum Column: Sendable {
        /// Text, such as an id.
        case text
        /// An integer, such as a time.
        case number
    }

    /// A list by its name in the JSON object.
    ///
    /// - Parameters:
    ///   - columns: what a place has.
    ///   - read: the rows behind a place, from the first where it is empty.
    public init(_ name: String, at columns: [Column], read: @escaping @Sendable ([SQLValue]) async throws -> Batch) {
        self.name = name
        self.columns = columns
        self.read = read
    }

    /// A list of a table.
    ///
    /// ```swift
    /// ExportList("notes", by: Keyset(.descending("at"), .descending("id")), numbers: ["at"]) { keyset, cursor in
    ///     try await db.page("SELECT … WHERE tenant = :tenant AND owner = ?1", by: keyset, after: cursor, limit: 200, person)
    /// } show: { row in Note(id: try row.text("id")) }
    /// ```
    ///
    /// - Parameters:
    ///   - numbers: the columns of `keyset` that are integers; the others are text.
    ///   - page: a page of it, of at most 1 MiB.
    ///   - show: a row as the person sees it.
    public init(
        _ name: String, by keyset: Keyset, numbers: Set<String> = [],
        page: @escaping @Sendable (Keyset, String) async throws -> Page,
        show: @escaping @Sendable (Row) throws -> any Encodable & Sendable
    ) {
        let names = keyset.columns.map { String($0.name.split(separator: ".").last ?? "") }
        self.init(name, at: names.map { numbers.contains($0) ? .number : .text }) { place in
            let page = try await page(keyset, place.isEmpty ? "" : PageCursor(place).text)
            let items = try page.rows.map { row in
                Item(try show(row), at: try names.map { try row.value($0) })
            }
            return Batch(items, isLast: page.next.isEmpty)
        }
    }

    /// Whether a place may be one of this list's.
    func has(_ place: [SQLValue]) -> Bool {
        place.isEmpty
            || place.count == columns.count
                && zip(place, columns).allSatisfy { value, column in
                    switch (value.kind, column) {
                    case (.text, .text), (.integer, .number): true
                    default: false
                    }
                }
    }
}
