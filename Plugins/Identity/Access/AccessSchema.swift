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
            """),
        // Lists are words between spaces; conditions are JSON of theatre.access.v1.Conditions.
        Migration(
            "002-roles-conditions-approvals",
            """
            ALTER TABLE {projects} ADD COLUMN four_eyes TEXT NOT NULL DEFAULT '';
            ALTER TABLE {members} ADD COLUMN custom_role TEXT NOT NULL DEFAULT '';
            ALTER TABLE {members} ADD COLUMN conditions TEXT NOT NULL DEFAULT '';
            CREATE TABLE {roles} (
                tenant TEXT NOT NULL,
                id TEXT NOT NULL,
                base INTEGER NOT NULL,
                permissions TEXT NOT NULL,
                updated_at BIGINT NOT NULL,
                PRIMARY KEY (tenant, id)
            );
            CREATE INDEX {members_by_custom_role} ON {members} (tenant, custom_role);
            CREATE TABLE {approvals} (
                tenant TEXT NOT NULL,
                id TEXT NOT NULL,
                project TEXT NOT NULL,
                action TEXT NOT NULL,
                role INTEGER NOT NULL,
                asked_by TEXT NOT NULL,
                request TEXT NOT NULL,
                state INTEGER NOT NULL,
                decided_by TEXT NOT NULL,
                asked_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL,
                note TEXT NOT NULL,
                digest BLOB NOT NULL,
                used_key TEXT NOT NULL,
                PRIMARY KEY (tenant, id)
            );
            CREATE INDEX {approvals_by_project} ON {approvals} (tenant, project, id);
            """),
    ]
}
