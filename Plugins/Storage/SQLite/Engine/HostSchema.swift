// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts

/// The host's own tables, made by the engine before anything else.
enum HostSchema {
    /// Their names without prefix.
    static let tables: Set<String> = ["answers", "audit", "cursors", "events", "migrations"]

    /// In order; an entry never changes once released.
    static let changes: [(name: String, statements: [String])] = [
        (
            "001-host",
            [
                """
                CREATE TABLE host__answers (tenant TEXT NOT NULL, principal TEXT NOT NULL, route TEXT NOT NULL,
                    key TEXT NOT NULL, request_digest BLOB NOT NULL, payload BLOB NOT NULL, status INTEGER NOT NULL,
                    created_at INTEGER NOT NULL, PRIMARY KEY (tenant, principal, route, key)) WITHOUT ROWID
                """,
                "CREATE INDEX host__answers_by_age ON host__answers (created_at)",
                """
                CREATE TABLE host__audit (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
                    tenant TEXT NOT NULL, project TEXT NOT NULL, principal TEXT NOT NULL, route TEXT NOT NULL,
                    resource TEXT NOT NULL, action TEXT NOT NULL, decision TEXT NOT NULL, request_id TEXT NOT NULL,
                    idempotency_key TEXT NOT NULL, request_digest BLOB NOT NULL, caller TEXT NOT NULL,
                    outcome TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL)
                """,
                """
                CREATE TABLE host__events (position INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL,
                    type TEXT NOT NULL, aggregate TEXT NOT NULL, data TEXT NOT NULL, channel TEXT NOT NULL,
                    at INTEGER NOT NULL, tenant TEXT NOT NULL, source TEXT NOT NULL, traceparent TEXT NOT NULL,
                    principal TEXT NOT NULL)
                """,
                """
                CREATE TABLE host__cursors (consumer TEXT PRIMARY KEY, position INTEGER NOT NULL,
                    moved_at INTEGER NOT NULL) WITHOUT ROWID
                """,
            ]
        )
    ]

    /// Makes what is not there yet.
    static func install(on connection: Connection, _ environment: EngineEnvironment) throws {
        try connection.transaction {
            try connection.execute(
                """
                CREATE TABLE IF NOT EXISTS host__migrations (namespace TEXT NOT NULL, place INTEGER NOT NULL,
                    name TEXT NOT NULL, engine TEXT NOT NULL, digest BLOB NOT NULL, applied_at INTEGER NOT NULL,
                    PRIMARY KEY (namespace, place), UNIQUE (namespace, name)) WITHOUT ROWID
                """)
            let applied = try MigrationRows.applied(namespace: "", on: connection)
            for (place, change) in changes.enumerated() where place >= applied.count {
                for statement in change.statements { try connection.execute(statement) }
                let digest = environment.digest(Array(change.statements.joined(separator: ";").utf8))
                try MigrationRows.record(
                    .init(name: change.name, engine: "", digest: digest), namespace: "", place: place,
                    at: environment.now(), on: connection)
            }
        }
    }
}
