// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Requests that wait for approval, and which actions take two, in the database.
struct ApprovalStore {
    let db: Database

    init(_ scope: some CallScope) { db = Database(scope, feature: Access.storage) }

    private static let columns =
        "id, project, action, role, asked_by, request, state, decided_by, asked_at, expires_at, note, digest, used_key"

    // MARK: which actions

    func fourEyes(of project: String) async throws -> [String] {
        let rows = try await db.read("SELECT four_eyes FROM {projects} WHERE tenant = :tenant AND id = ?1", project)
        return RoleStore.permissions(try rows.first?.text("four_eyes") ?? "")
    }

    func put(fourEyes actions: [String], of project: String) async throws {
        try await db.commit { batch in
            batch.run(
                "UPDATE {projects} SET four_eyes = ?2 WHERE tenant = :tenant AND id = ?1", expect: 1, project,
                actions.joined(separator: " "))
            batch.publish(type: "access.changed", aggregate: project, data: AccessEvent.project(project))
            try batch.answer(AccessFourEyes.with { $0.actions = actions })
        }
    }

    // MARK: requests

    /// Of a project, the newest first.
    func approvals(of project: String, limit: Int, cursor: String) async throws -> AccessApprovalPage {
        let page = try await db.page(
            "SELECT \(Self.columns) FROM {approvals} WHERE tenant = :tenant AND project = ?1",
            by: Keyset(.descending("id")), after: cursor, limit: limit, project)
        return try .with {
            $0.items = try page.rows.map { try StoredApproval($0).approval }
            $0.nextCursor = page.next
        }
    }

    /// The one that waits or is approved for this request of this principal, or the new one, which is stored.
    func ask(_ new: StoredApproval, at now: Int64, most: Int64) async throws -> AccessApproval {
        try await db.write { tx in
            let known = try await tx.run(
                """
                SELECT \(Self.columns) FROM {approvals}
                WHERE tenant = :tenant AND project = ?1 AND asked_by = ?2 AND digest = ?3 AND expires_at > ?4
                    AND state IN (1, 2)
                ORDER BY id DESC LIMIT 1
                """, new.approval.projectID, new.approval.askedBy, new.digest, now)
            if let row = known.first { return try StoredApproval(row).approval }
            let waiting = try await tx.run(
                """
                SELECT count(*) AS n FROM {approvals}
                WHERE tenant = :tenant AND project = ?1 AND state = 1 AND expires_at > ?2
                """, new.approval.projectID, now
            ).number()
            guard waiting < most else { throw AccessError.tooManyApprovals(most) }
            let approval = new.approval
            try await tx.run(
                """
                INSERT INTO {approvals} (tenant, \(Self.columns))
                VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7, '', ?8, ?9, '', ?10, '')
                """, expect: 1, approval.id, approval.projectID, approval.action, new.role.rawValue, approval.askedBy,
                approval.request, approval.state.rawValue, approval.askedAt, approval.expiresAt, new.digest)
            tx.publish(
                type: "approval.asked", aggregate: approval.projectID,
                data: AccessEvent.approval(approval.id, of: approval.projectID))
            return approval
        }
    }

    /// Approves or refuses what waits, on behalf of `actor`.
    func decide(_ request: AccessDecideApprovalRequest, by actor: String, at now: Int64) async throws -> AccessApproval
    {
        try await db.write { tx in
            let rows = try await tx.run(
                "SELECT \(Self.columns) FROM {approvals} WHERE tenant = :tenant AND project = ?1 AND id = ?2",
                request.projectID, request.approvalID)
            guard let row = rows.first else { throw AccessError.noApproval }
            let stored = try StoredApproval(row)
            var approval = stored.approval
            guard approval.askedBy != actor else { throw AccessError.ownApproval }
            guard approval.state == .waiting, approval.expiresAt > now else { throw AccessError.decided }
            // Who looks after the tenant is no member; what only owners do, only owners approve.
            let held = try await MemberStore.standing(of: actor, in: request.projectID, tx)
            let counts = held.expiresAt == 0 || held.expiresAt > now ? held.role : .unspecified
            guard counts.rawValue >= stored.role.rawValue || (counts == .unspecified && stored.role != .owner) else {
                throw AccessError.approverRole
            }
            approval.state = request.approve ? .approved : .refused
            approval.decidedBy = actor
            approval.note = request.note
            try await tx.run(
                """
                UPDATE {approvals} SET state = ?3, decided_by = ?4, note = ?5
                WHERE tenant = :tenant AND project = ?1 AND id = ?2 AND state = 1
                """, expect: 1, approval.projectID, approval.id, approval.state.rawValue, actor, approval.note)
            tx.publish(
                type: "approval.decided", aggregate: approval.projectID,
                data: AccessEvent.approval(approval.id, of: approval.projectID))
            try tx.answer(approval)
            return approval
        }
    }

    /// Spends an approval on the request that it was given for.
    func use(_ request: AccessUseApprovalRequest, at now: Int64) async throws -> AccessApproval {
        try await db.write { tx in
            let rows = try await tx.run(
                "SELECT \(Self.columns) FROM {approvals} WHERE tenant = :tenant AND id = ?1", request.approval)
            guard let row = rows.first else { throw AccessError.notApproved }
            let stored = try StoredApproval(row)
            var approval = stored.approval
            guard approval.askedBy == request.principal, stored.digest == request.digest else {
                throw AccessError.notApproved
            }
            // The same request once more, because its answer was lost, is no second use.
            if approval.state == .used, !stored.usedKey.isEmpty, stored.usedKey == request.idempotencyKey {
                return approval
            }
            guard approval.state == .approved, approval.expiresAt > now else { throw AccessError.notApproved }
            approval.state = .used
            try await tx.run(
                "UPDATE {approvals} SET state = ?2, used_key = ?3 WHERE tenant = :tenant AND id = ?1 AND state = 2",
                expect: 1, approval.id, approval.state.rawValue, request.idempotencyKey)
            return approval
        }
    }
}

/// An approval with what nobody is told.
struct StoredApproval {
    var approval: AccessApproval
    /// What whoever approves has to be.
    var role: AccessRole
    var digest: Data
    var usedKey = ""

    init(_ approval: AccessApproval, role: AccessRole, digest: Data) {
        self.approval = approval
        self.role = role
        self.digest = digest
    }

    init(_ row: Row) throws {
        approval = try .with {
            $0.id = try row.text("id")
            $0.projectID = try row.text("project")
            $0.action = try row.text("action")
            $0.askedBy = try row.text("asked_by")
            $0.request = try row.text("request")
            $0.state = AccessApprovalState(rawValue: Int(try row.int("state"))) ?? .unspecified
            $0.decidedBy = try row.text("decided_by")
            $0.askedAt = try row.int("asked_at")
            $0.expiresAt = try row.int("expires_at")
            $0.note = try row.text("note")
        }
        role = AccessRole(rawValue: Int(try row.int("role"))) ?? .owner
        digest = try row.blob("digest")
        usedKey = try row.text("used_key")
    }
}
