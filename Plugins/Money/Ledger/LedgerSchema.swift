// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// The tables of the ledger.
enum LedgerSchema {
    static let migrations = [
        Migration(
            "001-books",
            """
            CREATE TABLE {accounts} (
                tenant TEXT NOT NULL,
                account TEXT NOT NULL,
                currency TEXT NOT NULL,
                balance BIGINT NOT NULL,
                held BIGINT NOT NULL CHECK (held >= 0),
                version BIGINT NOT NULL,
                PRIMARY KEY (tenant, account),
                CHECK (account LIKE 'system:%' OR balance - held >= 0)
            );
            CREATE TABLE {entries} (
                tenant TEXT NOT NULL,
                id TEXT NOT NULL,
                key TEXT NOT NULL,
                digest BLOB NOT NULL,
                memo TEXT NOT NULL,
                reference TEXT NOT NULL,
                at BIGINT NOT NULL,
                PRIMARY KEY (tenant, id),
                UNIQUE (tenant, key)
            );
            CREATE TABLE {postings} (
                tenant TEXT NOT NULL,
                entry_id TEXT NOT NULL,
                place BIGINT NOT NULL,
                account TEXT NOT NULL,
                currency TEXT NOT NULL,
                amount BIGINT NOT NULL CHECK (amount <> 0),
                PRIMARY KEY (tenant, entry_id, place)
            );
            CREATE INDEX {postings_by_account} ON {postings} (tenant, account, entry_id, place);
            CREATE TABLE {holds} (
                tenant TEXT NOT NULL,
                key TEXT NOT NULL,
                id TEXT NOT NULL,
                digest BLOB NOT NULL,
                account TEXT NOT NULL,
                currency TEXT NOT NULL,
                amount BIGINT NOT NULL CHECK (amount > 0),
                phase TEXT NOT NULL,
                expires_at BIGINT NOT NULL,
                memo TEXT NOT NULL,
                reference TEXT NOT NULL,
                entry_id TEXT NOT NULL,
                settled_amount BIGINT NOT NULL,
                settled_to TEXT NOT NULL,
                PRIMARY KEY (tenant, key)
            );
            CREATE UNIQUE INDEX {holds_by_id} ON {holds} (tenant, id);
            CREATE INDEX {holds_by_account} ON {holds} (tenant, account, phase, expires_at);
            """),
        Migration(
            "002-immutable", engine: "sqlite",
            """
            CREATE TRIGGER {postings_kept} BEFORE DELETE ON {postings}
            BEGIN SELECT RAISE(ABORT, 'postings are immutable'); END;
            CREATE TRIGGER {postings_unchanged} BEFORE UPDATE ON {postings}
            BEGIN SELECT RAISE(ABORT, 'postings are immutable'); END;
            CREATE TRIGGER {entries_kept} BEFORE DELETE ON {entries}
            BEGIN SELECT RAISE(ABORT, 'entries are immutable'); END;
            CREATE TRIGGER {entries_unchanged} BEFORE UPDATE ON {entries}
            BEGIN SELECT RAISE(ABORT, 'entries are immutable'); END;
            """),
    ]
}
