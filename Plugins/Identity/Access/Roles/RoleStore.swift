// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Roles of a tenant's own making, in the database.
struct RoleStore {
    let db: Database

    init(_ scope: some CallScope) { db = Database(scope, feature: Access.storage) }

    func roles() async throws -> [AccessCustomRole] {
        try await db.read(
            "SELECT id, base, permissions, updated_at FROM {roles} WHERE tenant = :tenant ORDER BY id LIMIT 1000"
        ).map(Self.role)
    }

    /// Makes it, or gives it what it holds now.
    func put(_ role: AccessCustomRole, most: Int64) async throws {
        try await db.write { tx in
            let count = try await tx.run(
                "SELECT count(*) AS n FROM {roles} WHERE tenant = :tenant AND id <> ?1", role.id
            ).number()
            guard count < most else { throw AccessError.tooManyRoles(most) }
            try await tx.run(
                """
                INSERT INTO {roles} (tenant, id, base, permissions, updated_at) VALUES (:tenant, ?1, ?2, ?3, ?4)
                ON CONFLICT (tenant, id) DO UPDATE SET base = ?2, permissions = ?3, updated_at = ?4
                """, expect: 1, role.id, role.base.rawValue, role.permissions.joined(separator: " "), role.updatedAt)
            // Whoever has it may do other things from now on.
            try await tx.run(
                "UPDATE {members} SET role = ?2 WHERE tenant = :tenant AND custom_role = ?1", role.id,
                role.base.rawValue)
            tx.publish(type: "access.changed", aggregate: role.id, data: AccessEvent.role(role.id))
            try tx.answer(role)
        }
    }

    /// Takes it away, unless somebody has it.
    func remove(_ id: String) async throws {
        try await db.write { tx in
            let holders = try await tx.run(
                "SELECT count(*) AS n FROM {members} WHERE tenant = :tenant AND custom_role = ?1", id
            ).number()
            guard holders == 0 else { throw AccessError.roleInUse(holders) }
            try await tx.run("DELETE FROM {roles} WHERE tenant = :tenant AND id = ?1", id)
            try tx.answer(AccessDeleteRoleResponse())
        }
    }

    /// What it is built on; within the transaction that gives it to somebody.
    static func base(of id: String, _ tx: Transaction) async throws -> AccessRole {
        let rows = try await tx.run("SELECT base FROM {roles} WHERE tenant = :tenant AND id = ?1", id)
        guard let row = rows.first, let base = AccessRole(rawValue: Int(try row.int("base"))) else {
            throw AccessError.noRole
        }
        return base
    }

    static func permissions(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

    private static func role(_ row: Row) throws -> AccessCustomRole {
        try .with {
            $0.id = try row.text("id")
            $0.base = AccessRole(rawValue: Int(try row.int("base"))) ?? .unspecified
            $0.permissions = permissions(try row.text("permissions"))
            $0.updatedAt = try row.int("updated_at")
        }
    }
}
