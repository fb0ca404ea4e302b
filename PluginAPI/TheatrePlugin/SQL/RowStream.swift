// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreContracts

/// Rows of one snapshot as they come, as many as there are; see ``Database/stream(_:options:_:)``.
///
/// The statement goes on as rows are consumed. One consumer at a time; dropping it ends the statement.
public struct RowStream: AsyncSequence, Sendable {
    private let pages: MessageStream<SQLRows>

    init(_ pages: MessageStream<SQLRows>) { self.pages = pages }

    /// Hands out the rows in order.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private var pages: MessageStream<SQLRows>.AsyncIterator
        private var columns: [String] = []
        private var page: [SQLRow] = []
        private var position = 0

        init(_ pages: MessageStream<SQLRows>.AsyncIterator) { self.pages = pages }

        /// The next row, or nil after the last.
        ///
        /// - Throws: `PluginError` of the statement, or `CancellationError`.
        public mutating func next() async throws -> Row? {
            while position == page.count {
                guard let message = try await pages.next() else { return nil }
                if columns.isEmpty { columns = message.columns }
                page = message.rows
                position = 0
            }
            defer { position += 1 }
            return Row(columns: columns, values: page[position].values)
        }
    }

    /// An iterator over what has not been consumed.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pages.makeAsyncIterator()) }
}
