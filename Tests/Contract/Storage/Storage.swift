// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// A storage plugin with an empty database, as its callers see it.
struct Storage {
    let engine: Engine
    let host: TestHost

    /// - Parameter checksTenants: as deployments do, where nothing else is said; most tests look at all rows.
    init(_ engine: Engine, configuration: [String: Int] = [:], checksTenants: Bool = false) async throws {
        self.engine = engine
        host = TestHost()
        try await engine.install(on: host, configuration, checksTenants: checksTenants)
        host.route("storage", to: "storage", capability: "theatre.sql.v1.Database")
        host.route("log", to: "storage", capability: "theatre.events.v1.Log")
        host.route("queue", to: "storage", capability: "theatre.jobs.v1.Queue")
        host.route("leases", to: "storage", capability: "theatre.lease.v1.Leases")
        host.route("audit", to: "storage", capability: "theatre.sql.v1.Audit")
        host.route("maintenance", to: "storage", capability: "theatre.sql.v1.Maintenance")
    }

    /// What calls of `instance` for `tenant` carry.
    func scope(
        as instance: String = "notes", tenant: String = "t1", timeout: Duration? = nil,
        context edit: (inout HostContext) -> Void = { _ in }
    ) -> TestScope {
        host.scope(as: instance, principal: "usr_1", tenant: tenant, timeout: timeout) {
            $0.publishes = "notes"
            edit(&$0)
        }
    }

    /// The tables of `instance`.
    func database(
        as instance: String = "notes", tenant: String = "t1", timeout: Duration? = nil,
        context edit: (inout HostContext) -> Void = { _ in }
    ) -> Database {
        Database(scope(as: instance, tenant: tenant, timeout: timeout, context: edit), feature: "storage")
    }

    var log: EventsLogClient { EventsLogClient(host.scope(as: "host"), feature: "log") }
    var audit: SQLAuditClient { SQLAuditClient(host.scope(as: "host"), feature: "audit") }
    var leases: LeaseLeasesClient { LeaseLeasesClient(scope(), feature: "leases") }

    /// The accounts that most tests write.
    func migrate(as instance: String = "notes") async throws {
        try await database(as: instance).migrate([Self.accounts])
    }

    static let accounts = Migration(
        "001-accounts",
        """
        CREATE TABLE {accounts} (
            tenant TEXT NOT NULL,
            id TEXT NOT NULL,
            name TEXT,
            amount BIGINT NOT NULL DEFAULT 0 CHECK (amount >= 0),
            ratio REAL,
            picture BLOB,
            PRIMARY KEY (tenant, id)
        );
        CREATE INDEX {accounts_by_amount} ON {accounts} (tenant, amount, id);
        """)

    /// Puts accounts `a0`, `a1`, … with an amount each.
    func fill(_ count: Int, amount: Int = 100, tenant: String = "t1") async throws {
        try await database(tenant: tenant).commit {
            for index in 0..<count {
                $0.run(
                    "INSERT INTO {accounts} (tenant, id, amount) VALUES (:tenant, ?1, ?2)", expect: 1, "a\(index)",
                    amount)
            }
        }
    }
}

/// Runs `body` again where its transaction was open too long and was rolled back, which a slow machine makes of
/// transactions that deadlock twice: PostgreSQL parts them only after a second.
nonisolated(nonsending) func again<Output>(
    atMost times: Int = 100, _ body: nonisolated(nonsending) () async throws -> Output
) async throws -> Output {
    for _ in 1..<times {
        do { return try await body() } catch let error as PluginError where error.reason == "sql.transaction_timeout" {
            continue
        }
    }
    return try await body()
}
