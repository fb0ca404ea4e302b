// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SeededRandom
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatreStorage

@testable import SQLite

/// Transactions that share a commit do not share their failures.
struct GroupCommitTests {
    let fixture: EngineFixture

    init() throws { fixture = try EngineFixture() }

    private func accounts(_ count: Int, balance: Int64) async throws {
        try await fixture.migrate(
            "bank",
            """
            CREATE TABLE {accounts} (tenant TEXT NOT NULL, id BIGINT NOT NULL, balance BIGINT NOT NULL CHECK (balance >= 0),
                PRIMARY KEY (tenant, id));
            CREATE TABLE {moves} (tenant TEXT NOT NULL, id BIGINT NOT NULL, account BIGINT NOT NULL,
                PRIMARY KEY (tenant, id),
                FOREIGN KEY (tenant, account) REFERENCES {accounts} (tenant, id) DEFERRABLE INITIALLY DEFERRED);
            """)
        for id in 0..<Int64(count) {
            try await fixture.commit(
                "bank", "INSERT INTO {accounts} VALUES (:tenant, ?1, ?2)", SQLValue(id), SQLValue(balance))
        }
    }

    private func total() async throws -> Int64 {
        try await fixture.query("bank", "SELECT SUM(balance) FROM {accounts}").first?.first?.integer ?? -1
    }

    @Test func manyWritersShareCommitsAndEachKnowsItsOwnOutcome() async throws {
        try await accounts(1, balance: 0)
        let engine = fixture.engine
        let scope = try fixture.scope("bank")
        let (commits, transactions) = (
            engine.writer.commits.load(ordering: .relaxed), engine.writer.transactions.load(ordering: .relaxed)
        )
        // Each id comes twice: one of the two is refused, whoever it shares a commit with.
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for n in 0..<400 {
                group.addTask {
                    let request = SQLCommitRequest.with {
                        $0.statements = [
                            statement("UPDATE {accounts} SET balance = balance + 1 WHERE tenant = :tenant AND id = 0"),
                            statement("INSERT INTO {moves} VALUES (:tenant, ?1, 0)", [SQLValue(Int64(n / 2))]),
                        ]
                    }
                    do {
                        _ = try await engine.commit(request, for: scope)
                        return true
                    } catch { return (error as? StorageError)?.reason == "sql.unique" ? false : true }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count { $0 } == 200)
        #expect(try await total() == 200)
        let done = engine.writer.commits.load(ordering: .relaxed) - commits
        #expect(engine.writer.transactions.load(ordering: .relaxed) - transactions == 400)
        #expect(done < 400, "no two transactions shared a commit")
    }

    @Test func aReferenceThatIsNeverMadeGoodFailsItsOwnTransactionOnly() async throws {
        try await accounts(1, balance: 0)
        let engine = fixture.engine
        let scope = try fixture.scope("bank")
        let reasons = await withTaskGroup(of: String.self) { group in
            for n in 0..<40 {
                group.addTask {
                    let request = SQLCommitRequest.with {
                        $0.statements = [
                            statement(
                                "INSERT INTO {moves} VALUES (:tenant, ?1, ?2)",
                                [SQLValue(Int64(n)), SQLValue(Int64(n % 2))])
                        ]
                    }
                    do {
                        _ = try await engine.commit(request, for: scope)
                        return "stored"
                    } catch { return (error as? StorageError)?.reason ?? "other" }
                }
            }
            return await group.reduce(into: [String]()) { $0.append($1) }
        }
        #expect(reasons.count { $0 == "stored" } == 20)
        #expect(reasons.count { $0 == "sql.foreign_key" } == 20)
    }

    /// Runs a closure; kept outcomes are read by the test.
    private final class Member: GroupMember {
        let isRepeatable: Bool
        let isWanted = true
        let body: @Sendable (Connection) throws -> Void
        let runs = Atomic<Int>(0)
        let outcome = Mutex<[String]>([])

        init(repeatable: Bool = true, _ body: @escaping @Sendable (Connection) throws -> Void) {
            isRepeatable = repeatable
            self.body = body
        }

        func run(on connection: Connection) throws {
            runs.add(1, ordering: .relaxed)
            try body(connection)
        }

        func settle(_ error: (any Error)?) {
            outcome.withLock { $0.append(error.map { ($0 as? StorageError)?.reason ?? "other" } ?? "kept") }
        }
    }

    private func insert(_ n: Int64) -> Member {
        Member { try $0.execute("INSERT INTO host__cursors VALUES (?1, 0, 0)", [SQLValue("c\(n)")]) }
    }

    @Test func oneThatIsInterruptedTakesNobodyWithIt() async throws {
        let connection = try Connection(path: "\(fixture.folder)/other.db", role: .writer)
        try connection.installHostSchema(fixture.engine.environment)
        var group = CommitGroup(connection)
        let first = insert(1)
        let once = Member(repeatable: false) { try $0.execute("INSERT INTO host__cursors VALUES ('once', 0, 0)") }
        let slow = Member { connection in
            let looks = Atomic<Int>(0)
            try connection.serving(while: { looks.add(1, ordering: .relaxed).newValue < 3 }) {
                try connection.execute(
                    """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000000)
                    INSERT INTO host__cursors SELECT 's' || i, 0, 0 FROM n
                    """)
            }
        }
        let last = insert(2)
        for member in [first, once, slow, last] { group.run(member) }
        #expect(first.outcome.withLock { $0 }.isEmpty, "nobody is told before the commit")
        var noted: CommitGroup.Outcome?
        group.commit { outcome in
            noted = outcome
            #expect(first.outcome.withLock { $0 }.isEmpty, "noted before anybody is told")
        }
        #expect(noted == .wrote)
        #expect(first.outcome.withLock { $0 } == ["kept"] && first.runs.load(ordering: .relaxed) == 2)
        #expect(last.outcome.withLock { $0 } == ["kept"])
        #expect(slow.outcome.withLock { $0 } == ["sql.cancelled"])
        #expect(once.outcome.withLock { $0 } == ["sql.serialization"] && once.runs.load(ordering: .relaxed) == 1)
        let rows = try connection.rows("SELECT consumer FROM host__cursors ORDER BY consumer").map(\.values[0].text)
        #expect(rows == ["c1", "c2"])
    }

    @Test func aCommitThatFailsFailsForAll() async throws {
        let connection = try Connection(path: "\(fixture.folder)/other.db", role: .writer)
        try connection.installHostSchema(fixture.engine.environment)
        var group = CommitGroup(connection)
        let members = [insert(1), insert(2)]
        for member in members { group.run(member) }
        // The transaction is gone under the group, as after a failure of the disk.
        connection.rollback()
        var noted: CommitGroup.Outcome?
        group.commit { noted = $0 }
        guard case .failed = noted else { throw StorageError(.internal, "test", "It was \(noted as Any).") }
        for member in members { #expect(member.outcome.withLock { $0 }.first != "kept") }
        #expect(try connection.rows("SELECT 1 FROM host__cursors").isEmpty)
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func concurrentTransfersLoseNothing(seed: UInt64) async throws {
        let count = 8
        try await accounts(count, balance: 1000)
        let engine = fixture.engine
        let scope = try fixture.scope("bank")
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<16 {
                group.addTask {
                    var random = SeededGenerator(seed: seed &* 1000 + UInt64(worker))
                    for _ in 0..<30 {
                        let from = Int64.random(in: 0..<Int64(count), using: &random)
                        let to = Int64.random(in: 0..<Int64(count), using: &random)
                        let amount = Int64.random(in: 0...400, using: &random)
                        if Bool.random(using: &random) {
                            await Self.commit(engine, scope, from, to, amount)
                        } else {
                            await Self.converse(engine, scope, from, to, amount, gives: Bool.random(using: &random))
                        }
                    }
                }
            }
        }
        #expect(try await total() == Int64(count) * 1000)
    }

    private static let take = "UPDATE {accounts} SET balance = balance - ?1 WHERE tenant = :tenant AND id = ?2"
    private static let give = "UPDATE {accounts} SET balance = balance + ?1 WHERE tenant = :tenant AND id = ?2"

    private static func commit(_ engine: Engine, _ scope: CallerScope, _ from: Int64, _ to: Int64, _ amount: Int64)
        async
    {
        let request = SQLCommitRequest.with {
            $0.statements = [
                statement(give, [SQLValue(amount), SQLValue(to)]), statement(take, [SQLValue(amount), SQLValue(from)]),
            ]
        }
        // Refused where the balance would be negative.
        _ = try? await engine.commit(request, for: scope)
    }

    /// Reads, decides, writes what it worked out: a lost update would show in the sum.
    private static func converse(
        _ engine: Engine, _ scope: CallerScope, _ from: Int64, _ to: Int64, _ amount: Int64, gives: Bool
    ) async {
        guard from != to, let transaction = try? await engine.begin(for: scope) else { return }
        defer { transaction.rollback() }
        let read = "SELECT balance FROM {accounts} WHERE tenant = :tenant AND id = ?1"
        let write = "UPDATE {accounts} SET balance = ?1 WHERE tenant = :tenant AND id = ?2"
        do {
            let has = try await transaction.run(statement(read, [SQLValue(from)])).rows[0].values[0].integer
            let had = try await transaction.run(statement(read, [SQLValue(to)])).rows[0].values[0].integer
            guard has >= amount else { return }
            _ = try await transaction.run(statement(write, [SQLValue(has - amount), SQLValue(from)]))
            _ = try await transaction.run(statement(write, [SQLValue(had + amount), SQLValue(to)]))
            if gives { _ = try await transaction.commit(SQLAttachments()) }
        } catch { return }
    }
}
