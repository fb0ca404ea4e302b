// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// The tables.
enum AccessSchema {
    /// Ids of projects sort by when they were made: a member's projects are read newest first out of one index.
    static let migrations = [
        Migration(
            "001-projects",
            """
            CREATE TABLE {projects} (
                tenant TEXT NOT NULL,
                id TEXT NOT NULL,
                name TEXT NOT NULL,
                language TEXT NOT NULL,
                status INTEGER NOT NULL,
                created_at BIGINT NOT NULL,
                updated_at BIGINT NOT NULL,
                PRIMARY KEY (tenant, id)
            );
            CREATE TABLE {members} (
                tenant TEXT NOT NULL,
                project TEXT NOT NULL,
                principal TEXT NOT NULL,
                role INTEGER NOT NULL,
                granted_by TEXT NOT NULL,
                granted_at BIGINT NOT NULL,
                expires_at BIGINT,
                PRIMARY KEY (tenant, project, principal)
            );
            CREATE INDEX {members_by_principal} ON {members} (tenant, principal, project);
            """)
    ]
}
