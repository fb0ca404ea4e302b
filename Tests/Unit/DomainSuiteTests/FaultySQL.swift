// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import SQLite

/// What a database may do wrong.
enum SQLFault: Sendable {
    case runsMigrationsAgain, emptiesOnMigrating, takesEditedMigrations, takesMissingMigrations
    case keepsHalf, ignoresExpectations, pointsNowhere
    case namesNoUnique, namesNoCheck, namesNoSyntax
    case roundsIntegers, losesEmptyTexts, cutsBytes, losesTheLastRow
    case answersShort, leavesOutOfStreams
    case mixesTenants, mixesInstances, takesBareNames
    case losesUpdates, keepsWhatWasRolledBack
}

/// The real SQLite, behind something that breaks one of its rules, or none.
struct FaultySQL: Sendable {
    let host = TestHost()
    let fault: SQLFault?
    private let looking = Shared(0)
    private let migrations = Shared(0)

    var subject: SQLSubject {
        SQLSubject { [host] instance, tenant in
            Database(host.scope(as: instance, principal: "usr_1", tenant: tenant), feature: "faulty")
        }
    }

    init(_ fault: SQLFault?) async throws {
        self.fault = fault
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("storage", to: "sqlite", capability: "theatre.sql.v1.Database")
        let own = self
        host.fake("faulty", "Migrate") { (request: SQLMigrateRequest, call) in try await own.migrate(request, call) }
        host.fake("faulty", "Commit") { (request: SQLCommitRequest, call) in try await own.commit(request, call) }
        host.fake("faulty", "Query") { (request: SQLQueryRequest, call) in try await own.query(request, call) }
        host.serveStreaming("faulty/QueryStream") { (request: SQLQueryRequest, call, output: MessageSink<SQLRows>) in
            for try await var rows in try await own.real(call).queryStream(request) {
                if fault == .leavesOutOfStreams { _ = rows.rows.popLast() }
                try await output.send(rows)
            }
        }
        host.serveBidirectional("faulty/Transact") {
            (input: MessageStream<SQLTransactRequest>, call, output: MessageSink<SQLTransactResponse>) in
            if fault == .losesUpdates || fault == .keepsWhatWasRolledBack {
                try await own.pretend(input, call, output)
            } else {
                try await own.transact(input, call, output)
            }
        }
    }

    func real(_ call: Call) -> SQLDatabaseClient {
        let instance = fault == .mixesInstances ? "notes" : call.context.caller
        let tenant = fault == .mixesTenants ? "t1" : call.tenant
        return SQLDatabaseClient(
            host.scope(as: instance, principal: call.principal, tenant: tenant), feature: "storage")
    }

    // MARK: migrations

    private func migrate(_ request: SQLMigrateRequest, _ call: Call) async throws -> SQLMigrateResponse {
        let count = migrations.with { count in
            count += 1
            return count
        }
        if fault == .runsMigrationsAgain, count > 1 {
            throw PluginError(.invalidArgument, "sql.syntax", "There is a table of this name.")
        }
        if fault == .emptiesOnMigrating, count > 1 {
            _ = try await real(call).commit(
                .with { $0.statements = [.with { $0.sql = "DELETE FROM {accounts} WHERE tenant = :tenant" }] })
        }
        do {
            return try await real(call).migrate(request)
        } catch let error as PluginError
            where (error.reason == "sql.migration_edited" && fault == .takesEditedMigrations)
            || (error.reason == "sql.migration_missing" && fault == .takesMissingMigrations)
        {
            return SQLMigrateResponse()
        }
    }

    // MARK: one message

    private func commit(_ request: SQLCommitRequest, _ call: Call) async throws -> SQLCommitResponse {
        var request = request
        if fault == .ignoresExpectations {
            for index in request.statements.indices { request.statements[index].clearExpect() }
        }
        do {
            guard fault == .keepsHalf else { return try await real(call).commit(request) }
            var response = SQLCommitResponse()
            for (index, statement) in request.statements.enumerated() {
                do {
                    response.results += try await real(call).commit(.with { $0.statements = [statement] }).results
                } catch var error as PluginError {
                    error.detail = "/statements/\(index)"
                    throw error
                }
            }
            return response
        } catch let error as PluginError {
            throw renamed(error)
        }
    }

    private func renamed(_ error: PluginError) -> PluginError {
        var error = error
        let hidden: [SQLFault: String] = [
            .namesNoUnique: "sql.unique", .namesNoCheck: "sql.check", .namesNoSyntax: "sql.syntax",
        ]
        if let fault, hidden[fault] == error.reason { error.reason = "sql.failed" }
        if fault == .pointsNowhere { error.detail = "" }
        return error
    }

    private func query(_ request: SQLQueryRequest, _ call: Call) async throws -> SQLRows {
        var request = request
        if fault == .takesBareNames {
            request.statement.sql = request.statement.sql.replacing("FROM accounts", with: "FROM {accounts}")
        }
        if fault == .answersShort { request.maxRows = 0 }
        do {
            return spoiled(try await real(call).query(request))
        } catch let error as PluginError {
            throw renamed(error)
        }
    }

    /// Rows as the fault makes them.
    private func spoiled(_ rows: SQLRows) -> SQLRows {
        var rows = rows
        if fault == .losesTheLastRow, rows.rows.count > 1 { _ = rows.rows.popLast() }
        for row in rows.rows.indices {
            for column in rows.rows[row].values.indices {
                let value = rows.rows[row].values[column]
                switch (fault, value.kind) {
                case (.roundsIntegers, .integer(let number)):
                    rows.rows[row].values[column].integer = Int64(exactly: Double(number)) ?? number
                case (.losesEmptyTexts, .text("")): rows.rows[row].values[column] = SQLValue()
                case (.cutsBytes, .blob(let bytes)): rows.rows[row].values[column].blob = Data(bytes.prefix(65_536))
                default: continue
                }
            }
        }
        return rows
    }

    // MARK: step by step

    private func transact(
        _ input: MessageStream<SQLTransactRequest>, _ call: Call, _ output: MessageSink<SQLTransactResponse>
    ) async throws {
        let real = try await real(call).transact()
        do {
            var answers = real.responses.makeAsyncIterator()
            for try await step in input {
                try await real.send(step)
                guard let answer = try await answers.next() else { return }
                try await output.send(answer)
            }
            real.finish()
        } catch {
            real.cancel()
            throw error
        }
    }

    /// Each statement by itself, as if there were a transaction around them.
    private func pretend(
        _ input: MessageStream<SQLTransactRequest>, _ call: Call, _ output: MessageSink<SQLTransactResponse>
    ) async throws {
        for try await step in input {
            switch step.step {
            case .statement(let statement) where statement.sql.hasPrefix("SELECT"):
                let rows = try await real(call).query(.with { $0.statement = statement })
                if fault == .losesUpdates { try await waitForOthers() }
                try await output.send(.with { $0.rows = rows })
            case .statement(let statement):
                let response = try await real(call).commit(.with { $0.statements = [statement] })
                try await output.send(.with { $0.rows = response.results.first ?? SQLRows() })
            case .commit:
                try await output.send(.with { $0.committed = SQLCommitResponse() })
                return
            default: try await output.send(.with { $0.rows = SQLRows() })
            }
        }
    }

    /// Until four have looked, or as long as anybody may take to look.
    private func waitForOthers() async throws {
        looking.with { $0 += 1 }
        for _ in 0..<1000 where looking.with({ $0 }) < 4 { try await Task.sleep(for: .milliseconds(5)) }
    }
}
