// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// The tables.
enum DraftingSchema {
    static let migrations = [
        Migration(
            "001-drafting",
            """
            CREATE TABLE {projects} (tenant TEXT NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL,
                language TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (tenant, id));
            CREATE INDEX {projects_by_owner} ON {projects} (tenant, owner, created_at, id);
            CREATE TABLE {chapters} (tenant TEXT NOT NULL, id TEXT NOT NULL, project_id TEXT NOT NULL,
                title TEXT NOT NULL, body TEXT NOT NULL, length INTEGER NOT NULL, sha256 TEXT NOT NULL,
                created_at INTEGER NOT NULL, PRIMARY KEY (tenant, id));
            CREATE INDEX {chapters_by_project} ON {chapters} (tenant, project_id, created_at, id);
            CREATE TABLE {runs} (tenant TEXT NOT NULL, id TEXT NOT NULL, project_id TEXT NOT NULL,
                chapter_id TEXT NOT NULL, owner TEXT NOT NULL, status TEXT NOT NULL, step TEXT NOT NULL,
                beats INTEGER NOT NULL DEFAULT 0, scenes INTEGER NOT NULL DEFAULT 0, progress INTEGER NOT NULL DEFAULT 0,
                cost INTEGER NOT NULL, hold_key TEXT NOT NULL, title TEXT NOT NULL, language TEXT NOT NULL,
                failure TEXT, outline TEXT, findings TEXT, created_at INTEGER NOT NULL, finished_at INTEGER,
                PRIMARY KEY (tenant, id));
            CREATE INDEX {runs_by_project} ON {runs} (tenant, project_id, created_at, id);
            CREATE TABLE {vectors} (tenant TEXT NOT NULL, run_id TEXT NOT NULL, number INTEGER NOT NULL,
                model TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (tenant, run_id, number));
            CREATE TABLE {scenes} (tenant TEXT NOT NULL, id TEXT NOT NULL, run_id TEXT NOT NULL,
                number INTEGER NOT NULL, title TEXT NOT NULL, summary TEXT NOT NULL, quote TEXT NOT NULL,
                characters TEXT NOT NULL, place TEXT, stage TEXT, prompt TEXT NOT NULL, findings TEXT NOT NULL,
                "similar" TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (tenant, id),
                UNIQUE (tenant, run_id, number));
            """),
        // Projects are kept with their members, by Access.
        Migration(
            "002-languages",
            """
            ALTER TABLE {chapters} ADD COLUMN language TEXT NOT NULL DEFAULT 'zh';
            DROP TABLE {projects};
            """),
    ]
}
