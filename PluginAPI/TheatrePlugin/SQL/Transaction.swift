// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import SwiftProtobuf
public import TheatreContracts

/// An open write transaction: statements one after another, each with its answer.
///
/// Lives inside ``Database/write(_:)``. While it is open the host refuses egress and calls to other plugins, and after
/// 2 s it is rolled back.
public final class Transaction {
    private let call: BidirectionalCall<SQLTransactRequest, SQLTransactResponse>
    private var attachments = CommitAttachments()

    init(_ call: BidirectionalCall<SQLTransactRequest, SQLTransactResponse>) { self.call = call }

    /// Runs one statement. One that fails rolls the transaction back.
    ///
    /// - Parameter expect: rows it must change; otherwise ABORTED `sql.expectation`.
    @discardableResult
    public nonisolated(nonsending) func run(
        _ sql: String, expect: UInt32? = nil, _ values: (any SQLConvertible)?...
    ) async throws -> Rows {
        let statement = SQLStatement(sql, expect: expect, values: values)
        let response = try await step(.with { $0.statement = statement })
        guard case .rows(let rows)? = response.answer else { throw Self.unexpected }
        return Rows(rows)
    }

    /// Stores an event with the transaction; consumers get it after the commit.
    ///
    /// - Parameters:
    ///   - aggregate: what it is about; events of one aggregate come in order.
    ///   - data: one JSON object without secrets.
    ///   - channel: who may see it in a realtime channel; empty for consumers only.
    public func publish(type: String, aggregate: String, data: String, channel: String = "") {
        attachments.publish(type: type, aggregate: aggregate, data: data, channel: channel)
    }

    /// Stores the answer to the route's caller with the transaction, so that the same request gets it again.
    ///
    /// Once per transaction. A mutating route's handler makes exactly one answering commit and returns the same message.
    ///
    /// - Parameter status: of HTTP; 0 for the route's.
    public func answer(_ response: some Message, status: UInt32 = 0) throws {
        try attachments.answer(response, status: status)
    }

    nonisolated(nonsending) func commit() async throws {
        let message = attachments.message
        let response = try await step(.with { $0.commit = message })
        guard case .committed? = response.answer else { throw Self.unexpected }
        call.finish()
        // The host holds the transaction open until the call has ended; what is called next must find it closed.
        do {
            while try await next() != nil {}
        } catch {
            // It is committed: how the call ended changes nothing.
        }
    }

    /// Rolls back, and returns once the call has ended: other calls are refused before.
    nonisolated(nonsending) func abandon() async {
        call.cancel()
        do { while try await next() != nil {} } catch {
            // It ends with the reason why it was given up, which the caller knows.
        }
    }

    private nonisolated(nonsending) func step(_ request: SQLTransactRequest) async throws -> SQLTransactResponse {
        do {
            try await call.send(request)
        } catch {
            // The call has ended; the stream of answers says why.
            guard let response = try await next() else { throw error }
            return response
        }
        guard let response = try await next() else { throw Self.unexpected }
        return response
    }

    private nonisolated(nonsending) func next() async throws -> SQLTransactResponse? {
        var iterator = call.responses.makeAsyncIterator()
        return try await iterator.next()
    }

    private static var unexpected: PluginError {
        PluginError(
            .unknown, "sql.unexpected_answer", "The database ended the transaction without an answer.", effect: .unknown
        )
    }
}
