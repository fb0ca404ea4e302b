// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The host's own tables, made by the engine before anything else.
public enum HostSchema {
    /// A change of the schema.
    public struct Change: Sendable, Hashable {
        /// Unique among them.
        public var name: String
        /// In order, all in one transaction.
        public var statements: [String]
    }

    /// Their names without prefix.
    public static let tables: Set<String> = [
        "answers", "audit", "audit_chains", "audit_segments", "cursors", "dead_letters", "events", "jobs", "leases",
        "migrations", "schedules",
    ]

    /// The table that says which changes were made; without effect where it is there.
    public static func migrations(_ dialect: Dialect) -> String {
        """
        CREATE TABLE IF NOT EXISTS host__migrations (namespace \(dialect.text) NOT NULL, place \(dialect.integer) NOT NULL,
            name \(dialect.text) NOT NULL, engine \(dialect.text) NOT NULL, digest \(dialect.blob) NOT NULL,
            applied_at \(dialect.integer) NOT NULL, PRIMARY KEY (namespace, place), UNIQUE (namespace, name))\(dialect.byKey)
        """
    }

    /// In order; an entry never changes once released. Recorded in ``MigrationRows`` under the empty namespace.
    public static func changes(_ dialect: Dialect) -> [Change] {
        [
            Change(name: "001-host", statements: first(dialect)),
            Change(name: "002-dead-letters", statements: deadLetters(dialect)),
            Change(name: "003-jobs", statements: JobSchema.jobs(dialect)),
            Change(name: "004-schedules", statements: JobSchema.schedules(dialect)),
            Change(name: "005-leases", statements: JobSchema.leases(dialect)),
            Change(name: "006-audit-chain", statements: AuditSchema.chain(dialect)),
        ]
    }

    private static func first(_ dialect: Dialect) -> [String] {
        let (text, integer, blob) = (dialect.text, dialect.integer, dialect.blob)
        let auditID =
            dialect == .sqlite ? "INTEGER PRIMARY KEY AUTOINCREMENT" : "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
        let position = dialect == .sqlite ? "INTEGER PRIMARY KEY AUTOINCREMENT" : "BIGINT PRIMARY KEY"
        let sequence = dialect == .sqlite ? [] : ["CREATE SEQUENCE host__events_position"]
        return sequence + [
            """
            CREATE TABLE host__answers (tenant \(text) NOT NULL, principal \(text) NOT NULL, route \(text) NOT NULL,
                key \(text) NOT NULL, request_digest \(blob) NOT NULL, payload \(blob) NOT NULL,
                status \(integer) NOT NULL, created_at \(integer) NOT NULL,
                PRIMARY KEY (tenant, principal, route, key))\(dialect.byKey)
            """,
            "CREATE INDEX host__answers_by_age ON host__answers (created_at)",
            """
            CREATE TABLE host__audit (id \(auditID), at \(integer) NOT NULL, tenant \(text) NOT NULL,
                project \(text) NOT NULL, principal \(text) NOT NULL, route \(text) NOT NULL, resource \(text) NOT NULL,
                action \(text) NOT NULL, decision \(text) NOT NULL, request_id \(text) NOT NULL,
                idempotency_key \(text) NOT NULL, request_digest \(blob) NOT NULL, caller \(text) NOT NULL,
                outcome \(text) NOT NULL, reason \(text) NOT NULL, count \(integer) NOT NULL)
            """,
            """
            CREATE TABLE host__events (position \(position), event_id \(text) NOT NULL, type \(text) NOT NULL,
                aggregate \(text) NOT NULL, data \(text) NOT NULL, channel \(text) NOT NULL, at \(integer) NOT NULL,
                tenant \(text) NOT NULL, source \(text) NOT NULL, traceparent \(text) NOT NULL,
                principal \(text) NOT NULL)
            """,
            """
            CREATE TABLE host__cursors (consumer \(text) PRIMARY KEY, position \(integer) NOT NULL,
                moved_at \(integer) NOT NULL)\(dialect.byKey)
            """,
        ]
    }

    private static func deadLetters(_ dialect: Dialect) -> [String] {
        let (text, integer) = (dialect.text, dialect.integer)
        return [
            "CREATE INDEX host__events_by_aggregate ON host__events (aggregate, position)",
            """
            CREATE TABLE host__dead_letters (consumer \(text) NOT NULL, position \(integer) NOT NULL,
                event_id \(text) NOT NULL, type \(text) NOT NULL, aggregate \(text) NOT NULL, data \(text) NOT NULL,
                channel \(text) NOT NULL, at \(integer) NOT NULL, tenant \(text) NOT NULL, source \(text) NOT NULL,
                traceparent \(text) NOT NULL, principal \(text) NOT NULL, reason \(text) NOT NULL,
                message \(text) NOT NULL, attempts \(integer) NOT NULL, dead_at \(integer) NOT NULL,
                requested \(integer) NOT NULL, PRIMARY KEY (consumer, position))\(dialect.byKey)
            """,
            "CREATE INDEX host__dead_letters_by_position ON host__dead_letters (position)",
        ]
    }
}
