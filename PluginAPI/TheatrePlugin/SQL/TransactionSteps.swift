// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
public import TheatreContracts

/// The call behind a transaction: one answer for each step, in order.
final class TransactionSteps {
    private let call: BidirectionalCall<SQLTransactRequest, SQLTransactResponse>
    private let owner: PreparedStatement.Owner
    /// Statements sent as text, to be prepared once the transaction is over.
    private(set) var unprepared: [PreparedStatement] = []
    /// Statements sent by number.
    private var numbered: [PreparedStatement] = []

    init(_ call: BidirectionalCall<SQLTransactRequest, SQLTransactResponse>, _ owner: PreparedStatement.Owner) {
        self.call = call
        self.owner = owner
    }

    nonisolated(nonsending) func begin(_ begin: SQLBegin) async throws {
        guard case .rows? = try await step(.with { $0.begin = begin }).answer else { throw Self.unexpected }
    }

    nonisolated(nonsending) func run(
        _ statement: some StatementText, expect: UInt32?, _ values: [(any SQLConvertible)?]
    ) async throws -> Rows {
        var message = SQLStatement(statement.sql, expect: expect, values: values)
        if let prepared = statement.prepared {
            if let number = prepared.number(for: owner) {
                message.sql = ""
                message.statementID = number
                numbered.append(prepared)
            } else {
                unprepared.append(prepared)
            }
        }
        let response = try await step(.with { $0.statement = message })
        guard case .rows(let rows)? = response.answer else { throw Self.unexpected }
        return Rows(rows)
    }

    nonisolated(nonsending) func commit(_ attachments: SQLAttachments) async throws -> SQLCommitResponse {
        let response = try await step(.with { $0.commit = attachments })
        guard case .committed(let committed)? = response.answer else { throw Self.unexpected }
        call.finish()
        await untilEnded()
        return committed
    }

    /// Rolls back, and returns once the call has ended: other calls are refused before.
    nonisolated(nonsending) func abandon() async {
        call.cancel()
        await untilEnded()
    }

    /// The engine no longer knows a number; which one it does not say.
    func forgetNumbers() {
        for statement in numbered { statement.forget(for: owner) }
    }

    /// The host holds the transaction open until the call has ended; what is called next must find it closed.
    private nonisolated(nonsending) func untilEnded() async {
        do { while try await next() != nil {} } catch {
            // Committed, or given up for a reason the caller knows: how the call ended changes nothing.
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
