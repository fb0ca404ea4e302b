// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin

/// Random histories of withdrawals from pairs of accounts that must hold 900 of 1,000 together: a rule over rows that no two
/// transactions both change, which write skew breaks.
@Suite(.closing) struct SkewTests {
    private static let pairs = 3
    private static let floor: Int64 = 900

    @Test(arguments: Engine.allCases, [UInt64(1), 2, 3])
    func noHistoryBreaksTheRuleWhereItIsSerializable(_ engine: Engine, _ seed: UInt64) async throws {
        let found = try await history(engine, .serializable, seed)
        #expect(found.broken == 0, "seed \(seed)")
        #expect(found.taken > 0)
    }

    /// What the check above finds where the level permits it.
    @Test(arguments: [Engine.postgresql, .pgbouncer], [SQLIsolation.readCommitted, .repeatableRead])
    func theCheckFindsWriteSkewWhereTheLevelPermitsIt(_ engine: Engine, _ level: SQLIsolation) async throws {
        let found = try await history(engine, level, 4)
        #expect(found.broken > 0)
    }

    /// How many rounds left a pair with less than it must have, and how many withdrawals there were.
    private func history(_ engine: Engine, _ level: SQLIsolation, _ seed: UInt64) async throws -> (
        broken: Int, taken: Int
    ) {
        let storage = try await Storage(engine)
        try await storage.migrate()
        var random = SeededGenerator(seed: seed)
        var (broken, taken) = (0, 0)
        for _ in 0..<16 {
            try await reset(storage)
            let changes = (0..<6).map { Change(client: $0, &random) }
            // Where a transaction keeps the others out nobody can wait for them in it.
            let meetings = (0..<Self.pairs).map { pair in
                Meeting(of: engine == .sqlite ? 1 : changes.count { $0.pair == pair })
            }
            taken += try await withThrowingTaskGroup(of: Bool.self) { group in
                for change in changes {
                    group.addTask {
                        let meeting = meetings[change.pair]
                        defer { meeting.end() }
                        return try await again { try await run(change, storage.database(), level, meeting) }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            for pair in 0..<Self.pairs where try await total(storage, pair) < Self.floor { broken += 1 }
        }
        return (broken, taken)
    }

    /// Takes from one account of a pair as long as both together keep what they must, or adds to it.
    private struct Change {
        var client: Int
        var pair: Int
        var side: String
        var amount: Int64

        init(client: Int, _ random: inout SeededGenerator) {
            self.client = client
            pair = Int.random(in: 0..<SkewTests.pairs, using: &random)
            side = Bool.random(using: &random) ? "a" : "b"
            amount = Int64.random(in: -80...20, using: &random)
        }
    }

    private nonisolated(nonsending) func run(
        _ change: Change, _ db: Database, _ level: SQLIsolation, _ meeting: Meeting
    ) async throws -> Bool {
        try await db.write(WriteOptions(isolation: level, attempts: 200)) { tx in
            let rows = try await tx.run(Self.read, "p\(change.pair)a", "p\(change.pair)b")
            let total = try rows.reduce(0) { $0 + (try $1.int("amount")) }
            await meeting.arrive(change.client)
            guard total + change.amount >= Self.floor else { return false }
            try await tx.run(
                "UPDATE {accounts} SET amount = amount + ?2 WHERE tenant = :tenant AND id = ?1", expect: 1,
                "p\(change.pair)\(change.side)", change.amount)
            return change.amount < 0
        }
    }

    private static let read = "SELECT amount FROM {accounts} WHERE tenant = :tenant AND id IN (?1, ?2)"

    private func total(_ storage: Storage, _ pair: Int) async throws -> Int64 {
        try await storage.database().read(Self.read, "p\(pair)a", "p\(pair)b").reduce(0) { $0 + (try $1.int("amount")) }
    }

    private func reset(_ storage: Storage) async throws {
        try await storage.database().commit {
            $0.run("DELETE FROM {accounts} WHERE tenant = :tenant")
            for pair in 0..<Self.pairs {
                for side in ["a", "b"] {
                    // Of one account alone all of them take less, so that only the rule is in their way.
                    $0.run(
                        "INSERT INTO {accounts} (tenant, id, amount) VALUES (:tenant, ?1, 500)", "p\(pair)\(side)")
                }
            }
        }
    }
}

/// Lets nobody on before all have arrived; whoever comes again is let through.
private final class Meeting: Sendable {
    private struct State {
        var missing: Int
        var arrived: Set<Int> = []
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(of count: Int) { state = Mutex(State(missing: count)) }

    func arrive(_ client: Int) async {
        await withCheckedContinuation { continuation in
            let woken = state.withLock { state in
                if state.arrived.insert(client).inserted { state.missing -= 1 }
                guard state.missing > 0 else {
                    defer { state.waiting = [] }
                    return state.waiting + [continuation]
                }
                state.waiting.append(continuation)
                return []
            }
            for continuation in woken { continuation.resume() }
        }
    }

    /// Nobody waits any more.
    func end() {
        let woken = state.withLock { state in
            defer { state.waiting = [] }
            state.missing = 0
            return state.waiting
        }
        for continuation in woken { continuation.resume() }
    }
}
