// TheatreOS
// SPDX-License-Identifier: Apache-2.0

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
    ]
}
