// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What chains the audit log: each row's place and hash, where each tenant's chain stands, and its checkpoints.
///
/// A row is in no chain while `seq` is 0. Those rows have a small index of their own, so a sealer finds them however long
/// the log is, and whatever order transactions commit in.
enum AuditSchema {
    static func chain(_ dialect: Dialect) -> [String] {
        let (text, integer, blob) = (dialect.text, dialect.integer, dialect.blob)
        return [
            "ALTER TABLE host__audit ADD COLUMN network \(text) NOT NULL DEFAULT ''",
            "ALTER TABLE host__audit ADD COLUMN seq \(integer) NOT NULL DEFAULT 0",
            "ALTER TABLE host__audit ADD COLUMN hash \(blob)",
            "CREATE INDEX host__audit_unsealed ON host__audit (id) WHERE seq = 0",
            "CREATE UNIQUE INDEX host__audit_chain ON host__audit (tenant, seq) WHERE seq > 0",
            "CREATE INDEX host__audit_by_tenant ON host__audit (tenant, id)",
            """
            CREATE TABLE host__audit_chains (tenant \(text) NOT NULL PRIMARY KEY, seq \(integer) NOT NULL,
                hash \(blob) NOT NULL, segments \(integer) NOT NULL, checked_seq \(integer) NOT NULL,
                checked_hash \(blob) NOT NULL, open_since \(integer) NOT NULL, oldest \(integer) NOT NULL,
                newest \(integer) NOT NULL, fencing_token \(integer) NOT NULL)\(dialect.byKey)
            """,
            "CREATE INDEX host__audit_chains_open ON host__audit_chains (open_since) WHERE open_since > 0",
            """
            CREATE TABLE host__audit_segments (tenant \(text) NOT NULL, segment \(integer) NOT NULL,
                first_seq \(integer) NOT NULL, last_seq \(integer) NOT NULL, previous_hash \(blob) NOT NULL,
                last_hash \(blob) NOT NULL, oldest \(integer) NOT NULL, newest \(integer) NOT NULL,
                signed_at \(integer) NOT NULL, key_id \(text) NOT NULL, signature \(blob) NOT NULL,
                removed_at \(integer) NOT NULL, removal_key_id \(text) NOT NULL, removal_signature \(blob) NOT NULL,
                PRIMARY KEY (tenant, segment))\(dialect.byKey)
            """,
            "CREATE INDEX host__audit_segments_by_age ON host__audit_segments (newest) WHERE removed_at = 0",
        ]
    }
}
