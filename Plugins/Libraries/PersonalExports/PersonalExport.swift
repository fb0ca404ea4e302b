// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
public import TheatreContracts
public import TheatrePlugin

/// What is held of a person, page by page: all pages together have every row of every list once.
public struct PersonalExport: Sendable {
    /// Bytes of a page; see `theatre.privacy.v1.Holder`.
    public static let bytes = 384 * 1024

    /// A JSON object and the cursor of the next, which is empty at the end.
    public struct Page: Sendable {
        /// A list that goes on in the next page has its first rows here; one without rows is left out.
        public let json: String
        /// At most 512 bytes where the lists' names and places are short.
        public let next: String
    }

    private let lists: [ExportList]

    /// Of these lists, in their order.
    public init(_ lists: ExportList...) { self.lists = lists }

    /// Answers a request to a holder.
    public func answer(_ request: PrivacyExportRequest) async throws -> PrivacyExportResponse {
        let page = try await page(after: request.cursor)
        return .with {
            $0.json = page.json
            $0.nextCursor = page.next
        }
    }

    /// One page. A row that is longer than a page has one for itself.
    ///
    /// - Parameters:
    ///   - cursor: ``Page/next`` of the page before; empty for the first.
    ///   - head: what there is once, in the first page: a JSON object.
    /// - Throws: INVALID_ARGUMENT `request.cursor` for a cursor of another export.
    public func page(after cursor: String, head: (any Encodable & Sendable)? = nil) async throws -> Page {
        let encoder = Self.encoder
        var (index, place) = try start(cursor)
        var page = ExportPage()
        if cursor.isEmpty, let head { page.open(try encoder.encode(head)) }
        while index < lists.count {
            let list = lists[index]
            let batch = try await list.read(place)
            for item in batch.items {
                let row = try encoder.encode(item.row)
                guard page.takes(row, of: list.name, within: Self.bytes) else {
                    return Page(json: page.text, next: try PageCursor([list.name.sqlValue] + place).text)
                }
                place = item.place
            }
            if batch.isLast { (index, place) = (index + 1, []) }
        }
        return Page(json: page.text, next: "")
    }

    /// A time as people read it.
    public static func time(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000).ISO8601Format()
    }

    /// For a cursor that no answer gave.
    public static func badCursor() -> PluginError {
        .invalid("/cursor", "request.cursor", "This is no cursor of an export; ask for its first page.")
    }

    private func start(_ cursor: String) throws -> (index: Int, place: [SQLValue]) {
        guard !cursor.isEmpty else { return (0, []) }
        guard let bytes = Base64URL.decode(cursor) else { throw Self.badCursor() }
        let row: SQLRow
        do { row = try SQLRow(serializedBytes: bytes) } catch { throw Self.badCursor() }
        guard case .text(let name)? = row.values.first?.kind, let index = lists.firstIndex(where: { $0.name == name })
        else { throw Self.badCursor() }
        let place = Array(row.values.dropFirst())
        guard lists[index].has(place) else { throw Self.badCursor() }
        return (index, place)
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return encoder
    }
}

/// A JSON object of lists, as it grows.
private struct ExportPage {
    private var bytes = Array("{".utf8)
    /// The list whose bracket is open.
    private var list: String?

    /// Begins with the members of an object.
    mutating func open(_ head: Data) { bytes = Array(head.dropLast()) }

    /// Adds a row, where there is room for it; the first there is always.
    mutating func takes(_ row: Data, of name: String, within limit: Int) -> Bool {
        let isEmpty = bytes.count == 1
        let before = name == list ? "," : "\(list == nil ? "" : "]")\(isEmpty ? "" : ",")\"\(name)\":["
        guard isEmpty || bytes.count + before.utf8.count + row.count + 2 <= limit else { return false }
        bytes += before.utf8
        bytes += row
        list = name
        return true
    }

    var text: String { String(decoding: bytes, as: UTF8.self) + (list == nil ? "}" : "]}") }
}
