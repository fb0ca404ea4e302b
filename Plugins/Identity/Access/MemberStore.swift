// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Who belongs to which project, in the database.
struct MemberStore {
    let db: Database

    init(_ scope: some CallScope) { db = Database(scope, feature: Access.storage) }

    private static let standing =
        """
        SELECT p.status AS status, p.four_eyes AS four_eyes, m.role AS role, m.expires_at AS expires_at,
            m.custom_role AS custom_role, m.conditions AS conditions, r.permissions AS permissions
        FROM {projects} AS p LEFT JOIN {members} AS m
            ON m.tenant = p.tenant AND m.project = p.id AND m.principal = ?2
        LEFT JOIN {roles} AS r ON r.tenant = p.tenant AND r.id = m.custom_role
        WHERE p.tenant = :tenant AND p.id = ?1
        """

    /// What `principal` is to a project now, and whether the project lives.
    func standing(of principal: String, in project: String, at now: Int64) async throws -> AccessStanding {
        let rows = try await db.read(Self.standing, project, principal)
        guard let row = rows.first else { return AccessStanding() }
        var standing = try Self.standing(row)
        let conditions = try row.optionalText("conditions") ?? ""
        guard !conditions.isEmpty else { return standing }
        try RoleConditions(AccessConditions(jsonString: conditions)).apply(to: &standing, at: now)
        return standing
    }

    /// The same, whatever the hours and from wherever, within a transaction.
    static func standing(of principal: String, in project: String, _ tx: Transaction) async throws -> AccessStanding {
        try await tx.run(standing, project, principal).first.map(standing) ?? AccessStanding()
    }

    private static func standing(_ row: Row) throws -> AccessStanding {
        try .with {
            $0.status = AccessProjectStatus(rawValue: Int(try row.int("status"))) ?? .unspecified
            $0.role = AccessRole(rawValue: Int(try row.optionalInt("role") ?? 0)) ?? .unspecified
            $0.expiresAt = try row.optionalInt("expires_at") ?? 0
            $0.customRole = try row.optionalText("custom_role") ?? ""
            $0.permissions = RoleStore.permissions(try row.optionalText("permissions") ?? "")
            $0.fourEyes = RoleStore.permissions(try row.text("four_eyes"))
        }
    }

    /// Members of a project, by id.
    func members(of project: String, limit: Int, cursor: String) async throws -> AccessMemberPage {
        let page = try await db.page(
            "SELECT principal, role, granted_by, granted_at, expires_at, custom_role, conditions FROM {members} "
                + "WHERE tenant = :tenant AND project = ?1",
            by: Keyset(.ascending("principal")), after: cursor, limit: limit, project)
        return try .with {
            $0.items = try page.rows.map(Self.member)
            $0.nextCursor = page.next
        }
    }

    /// Gives `member` its role in place of the one it has.
    func put(_ asked: AccessMember, in project: String, most: Int64) async throws -> AccessMember {
        try await db.write { tx in
            var member = asked
            if !member.customRole.isEmpty { member.role = try await RoleStore.base(of: member.customRole, tx) }
            let before = try await Self.role(of: member.userID, in: project, tx)
            if before == .owner || member.role == .owner {
                try await Self.requireOwner(member.grantedBy, in: project, tx)
            }
            if before == .owner, member.role != .owner {
                try await Self.requireAnotherOwner(than: member.userID, in: project, tx)
            }
            if before == .unspecified {
                let count = try await tx.run(
                    "SELECT count(*) AS n FROM {members} WHERE tenant = :tenant AND project = ?1", project
                ).number()
                guard count < most else { throw AccessError.full(most) }
            }
            try await tx.run(
                """
                INSERT INTO {members}
                    (tenant, project, principal, role, granted_by, granted_at, expires_at, custom_role, conditions)
                VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                ON CONFLICT (tenant, project, principal) DO UPDATE SET
                    role = ?3, granted_by = ?4, granted_at = ?5, expires_at = ?6, custom_role = ?7, conditions = ?8
                """, expect: 1, project, member.userID, member.role.rawValue, member.grantedBy, member.grantedAt,
                member.expiresAt == 0 ? nil : member.expiresAt, member.customRole,
                member.hasConditions ? member.conditions.jsonString() : "")
            tx.publish(type: "access.changed", aggregate: project, data: AccessEvent.project(project))
            try tx.answer(member)
            return member
        }
    }

    /// Takes the role of `principal`, on behalf of `actor`.
    func remove(_ principal: String, from project: String, by actor: String) async throws {
        try await db.write { tx in
            if try await Self.role(of: principal, in: project, tx) == .owner {
                try await Self.requireOwner(actor, in: project, tx)
                try await Self.requireAnotherOwner(than: principal, in: project, tx)
            }
            try await tx.run(
                "DELETE FROM {members} WHERE tenant = :tenant AND project = ?1 AND principal = ?2", project, principal)
            tx.publish(type: "access.changed", aggregate: project, data: AccessEvent.project(project))
            try tx.answer(AccessRemoveMemberResponse())
        }
    }

    /// Takes every role of a person, but where nobody else owns the project; how many were taken, how many left.
    func erase(_ person: String) async throws -> (erased: Int, owned: Int) {
        try await db.write { tx in
            let rows = try await tx.run(
                "SELECT project, role FROM {members} WHERE tenant = :tenant AND principal = ?1 ORDER BY project",
                person)
            var (erased, owned) = (0, 0)
            for row in rows {
                let project = try row.text("project")
                if AccessRole(rawValue: Int(try row.int("role"))) == .owner,
                    try await !Self.hasAnotherOwner(than: person, in: project, tx)
                {
                    owned += 1
                    continue
                }
                try await tx.run(
                    "DELETE FROM {members} WHERE tenant = :tenant AND project = ?1 AND principal = ?2", project, person)
                tx.publish(type: "access.changed", aggregate: project, data: AccessEvent.project(project))
                erased += 1
            }
            return (erased, owned)
        }
    }

    private static func role(of principal: String, in project: String, _ tx: Transaction) async throws -> AccessRole {
        let rows = try await tx.run(
            "SELECT role FROM {members} WHERE tenant = :tenant AND project = ?1 AND principal = ?2", project, principal)
        return AccessRole(rawValue: Int(try rows.first?.int("role") ?? 0)) ?? .unspecified
    }

    /// The gateway has looked whether the actor is at least an admin, perhaps a moment ago; what only owners may is looked
    /// up where it is done.
    private static func requireOwner(_ actor: String, in project: String, _ tx: Transaction) async throws {
        guard try await role(of: actor, in: project, tx) == .owner else { throw AccessError.ownerOnly }
    }

    private static func requireAnotherOwner(
        than principal: String, in project: String, _ tx: Transaction
    ) async throws {
        guard try await hasAnotherOwner(than: principal, in: project, tx) else { throw AccessError.lastOwner }
    }

    private static func hasAnotherOwner(
        than principal: String, in project: String, _ tx: Transaction
    ) async throws -> Bool {
        let others = try await tx.run(
            """
            SELECT count(*) AS n FROM {members}
            WHERE tenant = :tenant AND project = ?1 AND role = ?2 AND principal <> ?3
            """, project, AccessRole.owner.rawValue, principal)
        return try others.number() > 0
    }

    private static func member(_ row: Row) throws -> AccessMember {
        try .with {
            $0.userID = try row.text("principal")
            $0.role = AccessRole(rawValue: Int(try row.int("role"))) ?? .unspecified
            $0.grantedBy = try row.text("granted_by")
            $0.grantedAt = try row.int("granted_at")
            $0.expiresAt = try row.optionalInt("expires_at") ?? 0
            $0.customRole = try row.text("custom_role")
            let conditions = try row.text("conditions")
            if !conditions.isEmpty { $0.conditions = try AccessConditions(jsonString: conditions) }
        }
    }
}
