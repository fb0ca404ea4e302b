// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreContracts
import TheatrePlugin

/// What each level of isolation permits and forbids. A transaction reads, a rival commits, and the first goes on.
///
/// On PostgreSQL each level is as its name says. On SQLite all are serializable: the rival waits until the first has ended.
@Suite(.closing) struct IsolationTests {
    private static let levels: [SQLIsolation] = [.readCommitted, .repeatableRead, .serializable]
    private static let amounts = "SELECT coalesce(sum(amount), 0) AS total, count(*) AS n FROM {accounts}"

    /// Accounts `a0` and `a1` with 100 each.
    private func accounts(_ engine: Engine) async throws -> Storage {
        let storage = try await Storage(engine)
        try await storage.migrate()
        try await storage.fill(2)
        return storage
    }

    /// Runs `first` and then `then` in one transaction, with `rival` in between; once both have ended it gives what `then`
    /// gave. The rival has committed before `then` where the engine lets it.
    private nonisolated(nonsending) func race<Output: Sendable>(
        _ storage: Storage, _ level: SQLIsolation,
        first: nonisolated(nonsending) (Transaction) async throws -> Void,
        rival: @escaping @Sendable (Database) async throws -> Void,
        then: nonisolated(nonsending) (Transaction) async throws -> Output
    ) async throws -> Output {
        let options = WriteOptions(isolation: level, attempts: 1)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            let output = try await storage.database().write(options) { tx in
                try await first(tx)
                if storage.engine == .sqlite {
                    group.addTask { try await rival(storage.database()) }
                } else {
                    try await rival(storage.database())
                }
                return try await then(tx)
            }
            try await group.waitForAll()
            return output
        }
    }

    private func set(_ id: String, to amount: Int64) -> @Sendable (Database) async throws -> Void {
        { db in
            try await db.commit {
                $0.run("UPDATE {accounts} SET amount = ?2 WHERE id = ?1", expect: 1, id, amount)
            }
        }
    }

    private func amount(_ storage: Storage, _ id: String) async throws -> Int64 {
        try await storage.database().read("SELECT amount FROM {accounts} WHERE id = ?1", id)[0].int("amount")
    }

    /// Whether a level lets a transaction see what was committed after it began.
    private func seesLater(_ engine: Engine, _ level: SQLIsolation) -> Bool {
        engine != .sqlite && level == .readCommitted
    }

    @Test(arguments: Engine.allCases, levels)
    func aRowReadTwiceIsTheSameUnlessReadCommitted(_ engine: Engine, _ level: SQLIsolation) async throws {
        let storage = try await accounts(engine)
        let row = "SELECT amount FROM {accounts} WHERE id = 'a0'"
        let second = try await race(storage, level) { tx in
            let amount = try await tx.run(row)[0].int("amount")
            #expect(amount == 100)
        } rival: { db in
            try await set("a0", to: 7)(db)
        } then: { tx in
            try await tx.run(row)[0].int("amount")
        }
        #expect(second == (seesLater(engine, level) ? 7 : 100))
        #expect(try await amount(storage, "a0") == 7)
    }

    @Test(arguments: Engine.allCases, levels)
    func aSetReadTwiceHasTheSameRowsUnlessReadCommitted(_ engine: Engine, _ level: SQLIsolation) async throws {
        let storage = try await accounts(engine)
        let second = try await race(storage, level) { tx in
            let count = try await tx.run(Self.amounts)[0].int("n")
            #expect(count == 2)
        } rival: { db in
            try await db.commit {
                $0.run("INSERT INTO {accounts} (tenant, id, amount) VALUES (:tenant, 'phantom', 1)", expect: 1)
            }
        } then: { tx in
            try await tx.run(Self.amounts)[0].int("n")
        }
        #expect(second == (seesLater(engine, level) ? 3 : 2))
        #expect(try await storage.database().read(Self.amounts)[0].int("n") == 3)
    }

    /// What no level shows: a change that is not committed.
    @Test(arguments: Engine.allCases, levels)
    func nobodySeesWhatIsNotCommitted(_ engine: Engine, _ level: SQLIsolation) async throws {
        let storage = try await accounts(engine)
        try await storage.database().write(WriteOptions(isolation: level, attempts: 1)) { tx in
            try await tx.run("UPDATE {accounts} SET amount = 7 WHERE id = 'a0'", expect: 1)
            let outside = try await amount(storage, "a0")
            let inside = try await tx.run("SELECT amount FROM {accounts} WHERE id = 'a0'")[0].int("amount")
            #expect(outside == 100 && inside == 7)
        }
        #expect(try await amount(storage, "a0") == 7)
    }

    /// A sum that is worked out from what was read: READ COMMITTED loses the rival's, PostgreSQL's other levels refuse it,
    /// and on SQLite the rival comes after.
    @Test(arguments: Engine.allCases, levels)
    func anUpdateIsLostUnderReadCommittedOnly(_ engine: Engine, _ level: SQLIsolation) async throws {
        let storage = try await accounts(engine)
        let add: @Sendable (Database) async throws -> Void = { db in
            try await db.commit {
                $0.run("UPDATE {accounts} SET amount = amount + 30 WHERE id = 'a0'", expect: 1)
            }
        }
        let run = {
            try await race(storage, level) { tx in
                let amount = try await tx.run("SELECT amount FROM {accounts} WHERE id = 'a0'")[0].int("amount")
                #expect(amount == 100)
            } rival: { db in
                try await add(db)
            } then: { tx in
                try await tx.run("UPDATE {accounts} SET amount = ?1 WHERE id = 'a0'", expect: 1, 105)
            }
        }
        if engine != .sqlite, level != .readCommitted {
            let error = await #expect(throws: PluginError.self) { _ = try await run() }
            #expect(error?.reason == "sql.serialization" && error?.code == .aborted && error?.retry == .safe)
            #expect(try await amount(storage, "a0") == 130)
        } else {
            _ = try await run()
            #expect(try await amount(storage, "a0") == (engine == .sqlite ? 135 : 105))
        }
    }

    /// Each takes from its own account as long as both together hold 150: a rule over rows that neither changes both of.
    @Test(arguments: Engine.allCases, levels)
    func aRuleOverSeveralRowsHoldsOnlyWhereItIsSerializable(_ engine: Engine, _ level: SQLIsolation) async throws {
        let storage = try await accounts(engine)
        let run = {
            try await race(storage, level) { tx in
                let total = try await tx.run(Self.amounts)[0].int("total")
                #expect(total == 200)
            } rival: { db in
                try await db.write(WriteOptions(isolation: level, attempts: 1)) { tx in
                    guard try await tx.run(Self.amounts)[0].int("total") >= 150 else { return }
                    try await tx.run("UPDATE {accounts} SET amount = amount - 100 WHERE id = 'a1'", expect: 1)
                }
            } then: { tx in
                // By what it has read before.
                try await tx.run("UPDATE {accounts} SET amount = amount - 100 WHERE id = 'a0'", expect: 1)
            }
        }
        if engine != .sqlite, level == .serializable {
            let error = await #expect(throws: PluginError.self) { _ = try await run() }
            #expect(error?.reason == "sql.serialization" && error?.retry == .safe)
        } else {
            _ = try await run()
        }
        let isSkewed = engine != .sqlite && level != .serializable
        #expect(try await storage.database().read(Self.amounts)[0].int("total") == (isSkewed ? 0 : 100))
    }
}
