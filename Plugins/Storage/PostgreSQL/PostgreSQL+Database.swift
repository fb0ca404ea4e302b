// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin
import TheatreStorage

/// theatre.sql.v1.Database.
extension PostgreSQL: SQLDatabaseContract {
    func query(_ request: SQLQueryRequest, _ call: Call) async throws -> SQLRows {
        try await serving(call) { engine, scope in try await engine.query(request, for: scope) }
    }

    func queryStream(_ request: SQLQueryRequest, _ call: Call, _ output: MessageSink<SQLRows>) async throws {
        try await serving(call) { engine, scope in
            try await engine.queryStream(request, for: scope) { try await output.send($0) }
        }
    }

    func prepare(_ request: SQLPrepareRequest, _ call: Call) async throws -> SQLPrepareResponse {
        try await serving(call) { engine, scope in try await engine.prepare(request, for: scope) }
    }

    func commit(_ request: SQLCommitRequest, _ call: Call) async throws -> SQLCommitResponse {
        try await serving(call) { engine, scope in try await engine.commit(request, for: scope) }
    }

    func transact(
        _ input: MessageStream<SQLTransactRequest>, _ call: Call, _ output: MessageSink<SQLTransactResponse>
    ) async throws {
        try await serving(call) { engine, scope in
            var requests = input.makeAsyncIterator()
            // A connection is taken once there is something to do.
            guard var request = try await requests.next() else { return }
            let transaction = try await engine.begin(request.begin, for: scope)
            defer { transaction.rollback() }
            if case .begin = request.step {
                try await output.send(.with { $0.rows = SQLRows() })
                guard let next = try await requests.next() else { return }
                request = next
            }
            while true {
                switch request.step {
                case .statement(let statement):
                    let rows = try await transaction.run(statement)
                    try await output.send(.with { $0.rows = rows })
                case .commit(let attachments):
                    let committed = try await transaction.commit(attachments)
                    return try await output.send(.with { $0.committed = committed })
                case .begin:
                    throw StorageError(.invalidArgument, "sql.step", "Only the first step says how to begin.")
                case nil:
                    throw StorageError(.invalidArgument, "sql.step", "A step is a statement or a commit.")
                }
                guard let next = try await requests.next() else { return }
                request = next
            }
        }
    }

    func migrate(_ request: SQLMigrateRequest, _ call: Call) async throws -> SQLMigrateResponse {
        try await serving(call) { engine, scope in try await engine.migrate(request, for: scope) }
    }

    func findAnswer(_ request: SQLFindAnswerRequest, _ call: Call) async throws -> SQLFindAnswerResponse {
        try await serving(call) { engine, _ in try await engine.look(AnswerRows.find(request)) }
    }

    func appendAudit(_ request: SQLAppendAuditRequest, _ call: Call) async throws -> SQLAppendAuditResponse {
        try await serving(call) { engine, _ in try await engine.write(HostPlan(AuditRows.append(request))) }
        return SQLAppendAuditResponse()
    }
}
