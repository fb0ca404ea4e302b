// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Projects in the database.
struct ProjectStore {
    let db: Database

    init(_ scope: some CallScope) { db = Database(scope, feature: Access.storage) }

    /// Stores a project with its first owner.
    func add(_ project: AccessProject, owner: String) async throws {
        try await db.commit { batch in
            batch.run(
                """
                INSERT INTO {projects} (tenant, id, name, language, status, created_at, updated_at)
                VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?5)
                """, expect: 1, project.id, project.name, project.language, project.status.rawValue,
                project.createdAt)
            batch.run(
                """
                INSERT INTO {members} (tenant, project, principal, role, granted_by, granted_at)
                VALUES (:tenant, ?1, ?2, ?3, ?2, ?4)
                """, expect: 1, project.id, owner, AccessRole.owner.rawValue, project.createdAt)
            batch.publish(type: "project.created", aggregate: project.id, data: AccessEvent.project(project.id))
            try batch.answer(project)
        }
    }

    /// A project as `principal` sees it; nil where there is none.
    func project(_ id: String, of principal: String, at now: Int64) async throws -> AccessProject? {
        let rows = try await db.read(
            """
            SELECT \(Self.columns), CASE WHEN m.expires_at IS NULL OR m.expires_at > ?3 THEN m.role END AS role
            FROM {projects} AS p LEFT JOIN {members} AS m
                ON m.tenant = p.tenant AND m.project = p.id AND m.principal = ?2
            WHERE p.tenant = :tenant AND p.id = ?1
            """, id, principal, now)
        return try rows.first.map(Self.project)
    }

    /// The projects of `principal`, newest first: chosen where the rows are, never after they were read.
    func projects(of principal: String, at now: Int64, limit: Int, cursor: String) async throws -> AccessProjectPage {
        let before = cursor.isEmpty ? SQLValue("~") : try PageCursor(text: cursor, count: 1).values[0]
        let rows = try await db.read(
            """
            SELECT \(Self.columns), m.role AS role
            FROM {members} AS m JOIN {projects} AS p ON p.tenant = m.tenant AND p.id = m.project
            WHERE m.tenant = :tenant AND m.principal = ?1 AND m.project < ?2
                AND (m.expires_at IS NULL OR m.expires_at > ?3) AND p.status <> ?4
            ORDER BY m.project DESC LIMIT ?5
            """, principal, before, now, AccessProjectStatus.deleted.rawValue, limit + 1)
        return try .with {
            $0.items = try rows.prefix(limit).map(Self.project)
            if rows.count > limit { $0.nextCursor = try PageCursor(rows[limit - 1], "id").text }
        }
    }

    /// Changes a project's name and status.
    func update(_ project: AccessProject, was before: AccessProject) async throws {
        try await db.commit { batch in
            batch.run(
                """
                UPDATE {projects} SET name = ?2, status = ?3, updated_at = ?4
                WHERE tenant = :tenant AND id = ?1 AND updated_at = ?5 AND status = ?6
                """, expect: 1, project.id, project.name, project.status.rawValue, project.updatedAt,
                before.updatedAt, before.status.rawValue)
            if project.status != before.status {
                batch.publish(type: "access.changed", aggregate: project.id, data: AccessEvent.project(project.id))
            }
            batch.publish(type: "project.changed", aggregate: project.id, data: AccessEvent.project(project.id))
            try batch.answer(project)
        }
    }

    private static let columns =
        "p.id AS id, p.name AS name, p.language AS language, p.status AS status, "
        + "p.created_at AS created_at, p.updated_at AS updated_at"

    private static func project(_ row: Row) throws -> AccessProject {
        try .with {
            $0.id = try row.text("id")
            $0.name = try row.text("name")
            $0.language = try row.text("language")
            $0.status = AccessProjectStatus(rawValue: Int(try row.int("status"))) ?? .unspecified
            $0.role = AccessRole(rawValue: Int(try row.optionalInt("role") ?? 0)) ?? .unspecified
            $0.createdAt = try row.int("created_at")
            $0.updatedAt = try row.int("updated_at")
        }
    }
}
