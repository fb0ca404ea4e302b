// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import TheatrePlugin

extension AccountsStore {
    /// The schema, as the changes that made it. A pending account holds its address while its credential is stored.
    static let migrations = [
        Migration(
            "001-accounts",
            """
            CREATE TABLE {accounts} (
                tenant TEXT NOT NULL,
                id TEXT NOT NULL,
                email TEXT NOT NULL,
                nickname TEXT NOT NULL,
                locale TEXT NOT NULL,
                pending INTEGER NOT NULL,
                created_at INTEGER NOT NULL,
                PRIMARY KEY (tenant, id),
                UNIQUE (tenant, email)
            );
            CREATE TABLE {identities} (
                tenant TEXT NOT NULL,
                provider TEXT NOT NULL,
                subject TEXT NOT NULL,
                account TEXT NOT NULL,
                created_at INTEGER NOT NULL,
                PRIMARY KEY (tenant, provider, subject)
            );
            CREATE TABLE {sessions} (
                tenant TEXT NOT NULL,
                id TEXT NOT NULL,
                account TEXT NOT NULL,
                current BLOB NOT NULL,
                previous BLOB,
                rotated_at INTEGER NOT NULL,
                created_at INTEGER NOT NULL,
                used_at INTEGER NOT NULL,
                revoked_at INTEGER,
                PRIMARY KEY (tenant, id)
            );
            CREATE INDEX {sessions_by_account} ON {sessions} (tenant, account);
            CREATE TABLE {tokens} (
                tenant TEXT NOT NULL,
                hash BLOB NOT NULL,
                session TEXT NOT NULL,
                PRIMARY KEY (tenant, hash)
            );
            CREATE INDEX {tokens_by_session} ON {tokens} (tenant, session);
            CREATE TABLE {attempts} (
                tenant TEXT NOT NULL,
                identifier BLOB NOT NULL,
                failures INTEGER NOT NULL,
                since INTEGER NOT NULL,
                PRIMARY KEY (tenant, identifier)
            );
            """),
        Migration(
            "002-profiles",
            """
            ALTER TABLE {accounts} ADD COLUMN bio TEXT NOT NULL DEFAULT '';
            ALTER TABLE {accounts} ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
            """),
        Migration(
            "003-access",
            """
            ALTER TABLE {accounts} ADD COLUMN signed_in_at INTEGER;
            ALTER TABLE {accounts} ADD COLUMN merged_into TEXT;
            ALTER TABLE {accounts} ADD COLUMN banned_at INTEGER;
            ALTER TABLE {accounts} ADD COLUMN banned_until INTEGER;
            ALTER TABLE {accounts} ADD COLUMN banned_by TEXT;
            ALTER TABLE {accounts} ADD COLUMN ban_reason TEXT;
            CREATE INDEX {identities_by_account} ON {identities} (tenant, account);
            CREATE TABLE {factors} (
                tenant TEXT NOT NULL,
                account TEXT NOT NULL,
                seed TEXT NOT NULL,
                counter INTEGER NOT NULL,
                created_at INTEGER NOT NULL,
                confirmed_at INTEGER,
                PRIMARY KEY (tenant, account)
            );
            CREATE TABLE {recovery} (
                tenant TEXT NOT NULL,
                account TEXT NOT NULL,
                hash BLOB NOT NULL,
                PRIMARY KEY (tenant, account, hash)
            );
            CREATE TABLE {challenges} (
                tenant TEXT NOT NULL,
                hash BLOB NOT NULL,
                account TEXT NOT NULL,
                tries INTEGER NOT NULL,
                expires_at INTEGER NOT NULL,
                PRIMARY KEY (tenant, hash)
            );
            CREATE INDEX {challenges_by_account} ON {challenges} (tenant, account);
            CREATE TABLE {merges} (
                tenant TEXT NOT NULL,
                id TEXT NOT NULL,
                source TEXT NOT NULL,
                target TEXT NOT NULL,
                merged_at INTEGER NOT NULL,
                undone_at INTEGER,
                PRIMARY KEY (tenant, id)
            );
            CREATE TABLE {moved} (
                tenant TEXT NOT NULL,
                merge TEXT NOT NULL,
                provider TEXT NOT NULL,
                subject TEXT NOT NULL,
                PRIMARY KEY (tenant, merge, provider, subject)
            );
            CREATE TABLE {keys} (
                tenant TEXT NOT NULL,
                id TEXT NOT NULL,
                account TEXT NOT NULL,
                name TEXT NOT NULL,
                scopes TEXT NOT NULL,
                hash BLOB NOT NULL,
                created_at INTEGER NOT NULL,
                expires_at INTEGER NOT NULL,
                revoked_at INTEGER,
                PRIMARY KEY (tenant, id),
                UNIQUE (tenant, hash)
            );
            CREATE INDEX {keys_by_account} ON {keys} (tenant, account);
            CREATE TABLE {clients} (
                tenant TEXT NOT NULL,
                id TEXT NOT NULL,
                session TEXT NOT NULL,
                scopes TEXT NOT NULL,
                hash BLOB NOT NULL,
                created_at INTEGER NOT NULL,
                used_at INTEGER,
                revoked_at INTEGER,
                PRIMARY KEY (tenant, id)
            );
            """),
        Migration(
            "004-key-versions",
            """
            ALTER TABLE {sessions} ADD COLUMN key_version TEXT NOT NULL DEFAULT '';
            ALTER TABLE {factors} ADD COLUMN key_version TEXT NOT NULL DEFAULT '';
            """),
        // The column `email` holds an address from before, its index, or the account's own id. A row of `erasures` stays.
        Migration(
            "005-privacy",
            """
            ALTER TABLE {accounts} ADD COLUMN sealed_address BLOB;
            ALTER TABLE {accounts} ADD COLUMN sealed_profile BLOB;
            ALTER TABLE {accounts} ADD COLUMN erased_at BIGINT;
            \(KeyedIndex.table)
            CREATE TABLE {erasures} (
                tenant TEXT NOT NULL,
                id TEXT NOT NULL,
                account TEXT NOT NULL,
                state TEXT NOT NULL,
                requested_at BIGINT NOT NULL,
                erases_at BIGINT NOT NULL,
                parts TEXT,
                erased_at BIGINT,
                receipt TEXT,
                PRIMARY KEY (tenant, id)
            );
            CREATE UNIQUE INDEX {erasures_open} ON {erasures} (tenant, account) WHERE state IN ('cooling', 'erasing');
            CREATE INDEX {accounts_merged} ON {accounts} (tenant, merged_into);
            """),
        // Counts by plain digests of addresses are forgotten: those of one window.
        Migration(
            "006-attempts",
            """
            DROP TABLE {attempts};
            CREATE TABLE {attempts} (
                tenant TEXT NOT NULL,
                identifier BLOB NOT NULL,
                failures BIGINT NOT NULL,
                since BIGINT NOT NULL,
                PRIMARY KEY (tenant, identifier)
            );
            CREATE INDEX {attempts_by_time} ON {attempts} (tenant, since);
            """),
    ]
}
