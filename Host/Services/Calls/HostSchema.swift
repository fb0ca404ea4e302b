// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
public import TheatreContracts

/// The tables that the services keep in the namespace `host` of the storage instance.
public enum HostSchema {
    /// For `theatre.sql.v1.Database/Migrate`, called as the host.
    public static let migrations: [SQLMigration] = [
        SQLMigration.with {
            $0.name = "host-001-timers"
            $0.sql = """
                CREATE TABLE {timers} (
                    instance TEXT NOT NULL,
                    name TEXT NOT NULL,
                    tenant TEXT NOT NULL,
                    at INTEGER NOT NULL,
                    payload BLOB NOT NULL,
                    attempt INTEGER NOT NULL,
                    next_at INTEGER NOT NULL,
                    version INTEGER NOT NULL,
                    PRIMARY KEY (instance, name)
                );
                CREATE INDEX {timers_next} ON {timers} (next_at);
                """
        },
        SQLMigration.with {
            $0.name = "host-002-secrets"
            $0.sql = """
                CREATE TABLE {secrets} (
                    tenant TEXT NOT NULL,
                    project TEXT NOT NULL,
                    owner TEXT NOT NULL,
                    name TEXT NOT NULL,
                    version INTEGER NOT NULL,
                    key_version TEXT NOT NULL,
                    wrapped BLOB NOT NULL,
                    sealed BLOB NOT NULL,
                    created_at INTEGER NOT NULL,
                    created_by TEXT NOT NULL,
                    deleted_at INTEGER NOT NULL,
                    PRIMARY KEY (tenant, project, owner, name, version)
                );
                """
        },
        SQLMigration.with {
            $0.name = "host-003-personal-keys"
            $0.sql = """
                -- global: {personal_keys}
                CREATE TABLE {personal_keys} (
                    person TEXT NOT NULL,
                    key_version TEXT NOT NULL,
                    wrapped BLOB NOT NULL,
                    created_at BIGINT NOT NULL,
                    destroyed_at BIGINT NOT NULL,
                    PRIMARY KEY (person)
                );
                """
        },
        SQLMigration.with {
            $0.name = "host-004-usage"
            $0.sql = """
                CREATE TABLE {usage} (
                    tenant TEXT NOT NULL,
                    id TEXT NOT NULL,
                    at BIGINT NOT NULL,
                    project TEXT NOT NULL,
                    feature TEXT NOT NULL,
                    caller TEXT NOT NULL,
                    profile TEXT NOT NULL,
                    instance TEXT NOT NULL,
                    operation TEXT NOT NULL,
                    model TEXT NOT NULL,
                    run TEXT NOT NULL,
                    stage TEXT NOT NULL,
                    cost BIGINT,
                    currency TEXT NOT NULL,
                    failure TEXT NOT NULL,
                    microseconds BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id)
                );
                CREATE INDEX {usage_at} ON {usage} (tenant, at);
                CREATE TABLE {usage_units} (
                    tenant TEXT NOT NULL,
                    id TEXT NOT NULL,
                    unit TEXT NOT NULL,
                    amount BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id, unit)
                );
                """
        },
    ]
}
