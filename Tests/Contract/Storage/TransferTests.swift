// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin

/// Random histories of transfers at the same time: nothing is lost, nothing is made, nothing is written twice.
@Suite(.closing) struct TransferTests {
    @Test(arguments: Engine.allCases, [UInt64(1), 2, 3])
    func concurrentTransfersConserveMoney(_ engine: Engine, _ seed: UInt64) async throws {
        // How many find too little in their account is for chance to say.
        #expect(try await history(engine, seed) > 30)
    }

    /// Others than those above, for as long as they are sought.
    @Test(arguments: Engine.allCases)
    func historiesOfAnySeedConserveMoney(_ engine: Engine) async throws {
        var progress = FaultProgress(.transfers, dividedBy: Engine.allCases.count)
        var dice = SeededGenerator(seed: FaultPlan.current.seed)
        var (histories, moves) = (0, 0)
        repeat {
            let seed = dice.next()
            // Each has a database, whose connections end with it.
            let opened = OpenedInstances()
            moves += try await OpenedInstances.$current.withValue(opened) { try await history(engine, seed) }
            try await opened.stop()
            histories += 1
            progress.tell("\(histories) histories on \(engine)")
        } while progress.goesOn
        progress.end("\(histories) histories on \(engine), \(moves) transfers")
    }

    /// Transfers between accounts, checked at the end; how many were acknowledged.
    private func history(_ engine: Engine, _ seed: UInt64) async throws -> Int {
        let storage = try await Storage(engine)
        try await storage.database().migrate([
            Storage.accounts,
            Migration(
                "002-moves",
                "CREATE TABLE {moves} (tenant TEXT NOT NULL, id TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, amount BIGINT NOT NULL, PRIMARY KEY (tenant, id));"
            ),
        ])
        try await storage.fill(6, amount: 1000)
        let acknowledged = try await withThrowingTaskGroup(of: [String].self) { group in
            for client in 0..<8 {
                group.addTask { try await transfers(storage.database(), client: client, seed: seed) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let db = storage.database()
        #expect(try await db.read("SELECT sum(amount) AS n FROM {accounts}")[0].int("n") == 6000)
        let stored = try await db.read("SELECT id FROM {moves}").map { try $0.text("id") }
        #expect(Set(stored) == Set(acknowledged) && stored.count == acknowledged.count)
        // Each balance is what its moves say: an update that was lost would show here.
        let wrong = try await db.read(
            """
            SELECT a.id FROM {accounts} a WHERE a.amount <> 1000
                + coalesce((SELECT sum(m.amount) FROM {moves} m WHERE m.target = a.id), 0)
                - coalesce((SELECT sum(m.amount) FROM {moves} m WHERE m.source = a.id), 0)
            """)
        #expect(wrong.isEmpty, "seed \(seed)")
        return acknowledged.count
    }

    /// Reads a balance, decides, writes: what a lost update would break.
    private func transfers(_ db: Database, client: Int, seed: UInt64) async throws -> [String] {
        var random = SeededGenerator(seed: seed &* 1000 &+ UInt64(client))
        var done: [String] = []
        for turn in 0..<16 {
            let source = "a\(Int.random(in: 0..<6, using: &random))",
                target = "a\(Int.random(in: 0..<6, using: &random))"
            let amount = Int64.random(in: 1...400, using: &random)
            guard source != target else { continue }
            let id = "m\(client)-\(turn)"
            let isInteractive = Bool.random(using: &random)
            let moved = try await again {
                isInteractive
                    ? try await interactive(db, id, source, target, amount)
                    : try await batched(db, id, source, target, amount)
            }
            if moved { done.append(id) }
        }
        return done
    }

    private static let move =
        "INSERT INTO {moves} (tenant, id, source, target, amount) VALUES (:tenant, ?1, ?2, ?3, ?4)"

    private func interactive(_ db: Database, _ id: String, _ source: String, _ target: String, _ amount: Int64)
        async throws -> Bool
    {
        try await db.write(WriteOptions(attempts: 200)) { tx in
            let balance = try await tx.run("SELECT amount FROM {accounts} WHERE id = ?1", source)[0].int("amount")
            guard balance >= amount else { return false }
            let other = try await tx.run("SELECT amount FROM {accounts} WHERE id = ?1", target)[0].int("amount")
            try await tx.run("UPDATE {accounts} SET amount = ?2 WHERE id = ?1", expect: 1, source, balance - amount)
            try await tx.run("UPDATE {accounts} SET amount = ?2 WHERE id = ?1", expect: 1, target, other + amount)
            try await tx.run(Self.move, expect: 1, id, source, target, amount)
            return true
        }
    }

    private func batched(_ db: Database, _ id: String, _ source: String, _ target: String, _ amount: Int64)
        async throws -> Bool
    {
        do {
            try await db.commit(WriteOptions(attempts: 200)) {
                $0.run(
                    "UPDATE {accounts} SET amount = amount - ?2 WHERE id = ?1 AND amount >= ?2", expect: 1, source,
                    amount)
                $0.run("UPDATE {accounts} SET amount = amount + ?2 WHERE id = ?1", expect: 1, target, amount)
                $0.run(Self.move, expect: 1, id, source, target, amount)
            }
            return true
        } catch let error as PluginError where error.reason == "sql.expectation" {
            return false
        }
    }

    /// Two on call, each may leave while another stays: serializable transactions never leave nobody.
    @Test(arguments: Engine.allCases)
    func writeSkewIsForbiddenByDefault(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        for round in 0..<10 {
            try await storage.database().commit {
                $0.run("DELETE FROM {accounts}")
                for id in ["a", "b"] {
                    $0.run("INSERT INTO {accounts} (tenant, id, amount) VALUES (:tenant, ?1, 1)", id)
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in ["a", "b"] {
                    group.addTask {
                        try await again {
                            try await storage.database().write(WriteOptions(attempts: 100)) { tx in
                                let left = try await tx.run("SELECT sum(amount) AS n FROM {accounts}")[0].int("n")
                                guard left > 1 else { return }
                                try await tx.run("UPDATE {accounts} SET amount = 0 WHERE id = ?1", id)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let left = try await storage.database().read("SELECT sum(amount) AS n FROM {accounts}")[0].int("n")
            #expect(left == 1, "round \(round)")
        }
    }
}
