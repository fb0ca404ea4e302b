// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreContracts
internal import TheatrePlugin

/// The statements, which the baselines run too.
struct Desk {
    private let database: Database

    init(_ scope: some CallScope) { database = Database(scope, feature: "clerk.storage") }

    func migrate() async throws {
        try await database.migrate([
            Migration(
                "001-accounts",
                """
                CREATE TABLE {accounts} (
                    tenant TEXT NOT NULL, id BIGINT NOT NULL, amount BIGINT NOT NULL, name TEXT NOT NULL,
                    PRIMARY KEY (tenant, id)
                );
                CREATE TABLE {history} (
                    tenant TEXT NOT NULL, account BIGINT NOT NULL, delta BIGINT NOT NULL, at BIGINT NOT NULL
                );
                """)
        ])
    }

    func fill(_ ids: Range<Int>) async throws {
        try await database.commit { batch in
            for id in ids {
                batch.run(
                    "INSERT INTO {accounts} (tenant, id, amount, name) VALUES (:tenant, ?1, 0, ?2)", id,
                    "an account with a name of some length")
            }
        }
    }

    func read(_ id: Int64) async throws {
        let rows = try await database.read(Self.find, id)
        guard try rows.first?.text("name").isEmpty == false else {
            throw PluginError(.internal, "clerk.lost", "An account has no name.")
        }
    }

    func write(_ id: Int64) async throws {
        try await database.commit { $0.run(Self.raise, expect: 1, id) }
    }

    /// The script of `pgbench` in one message.
    func batch(_ id: Int64, _ delta: Int64) async throws {
        try await database.commit(Self.readCommitted) {
            $0.run(Self.change, id, delta)
            $0.run(Self.look, id)
            $0.run(Self.note, id, delta)
        }
    }

    /// The script of `pgbench`, statement by statement.
    func transact(_ id: Int64, _ delta: Int64) async throws {
        try await database.write(Self.readCommitted) { tx in
            try await tx.run(Self.change, id, delta)
            try await tx.run(Self.look, id)
            try await tx.run(Self.note, id, delta)
        }
    }

    func publish(_ aggregate: String) async throws {
        try await database.commit { $0.publish(type: "clerk.told", aggregate: aggregate, data: "{}") }
    }

    func enqueue() async throws {
        try await database.commit { $0.enqueue(JobsNewJob("work", kind: "clerk.work", bytes: [])) }
    }

    private static let readCommitted = WriteOptions(isolation: .readCommitted)
    private static let find = PreparedStatement(
        "SELECT amount, name FROM {accounts} WHERE tenant = :tenant AND id = ?1")
    private static let raise = "UPDATE {accounts} SET amount = amount + 1 WHERE tenant = :tenant AND id = ?1"
    private static let change = PreparedStatement(
        "UPDATE {accounts} SET amount = amount + ?2 WHERE tenant = :tenant AND id = ?1")
    private static let look = PreparedStatement("SELECT amount FROM {accounts} WHERE tenant = :tenant AND id = ?1")
    private static let note = PreparedStatement(
        "INSERT INTO {history} (tenant, account, delta, at) VALUES (:tenant, ?1, ?2, 0)")
}
