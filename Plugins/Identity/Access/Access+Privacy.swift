// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PersonalExports
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What is held of a person here: his roles in projects, and what he asked for or approved.
extension Access: PrivacyHolderContract {
    private struct Membership: Encodable {
        var project: String
        var role: String
        var since: String
    }

    private struct Approval: Encodable {
        var id: String
        var project: String
        var action: String
        var askedAt: String
    }

    func export(_ request: PrivacyExportRequest, _ call: Call) async throws -> PrivacyExportResponse {
        let database = Database(call, feature: Self.storage)
        let memberships = ExportList("memberships", by: Keyset(.ascending("project"))) { keyset, cursor in
            try await database.page(
                """
                SELECT project, role, custom_role, granted_at FROM {members}
                WHERE tenant = :tenant AND principal = ?1
                """, by: keyset, after: cursor, limit: 200, request.person)
        } show: { row in
            let (role, custom) = (AccessRole(rawValue: Int(try row.int("role"))), try row.text("custom_role"))
            return Membership(
                project: try row.text("project"), role: custom.isEmpty ? "\(role ?? .unspecified)" : custom,
                since: PersonalExport.time(try row.int("granted_at")))
        }
        let approvals = ExportList("approvals", by: Keyset(.descending("id"))) { keyset, cursor in
            try await database.page(
                """
                SELECT id, project, action, asked_at FROM {approvals}
                WHERE tenant = :tenant AND (asked_by = ?1 OR decided_by = ?1)
                """, by: keyset, after: cursor, limit: 200, request.person)
        } show: { row in
            Approval(
                id: try row.text("id"), project: try row.text("project"), action: try row.text("action"),
                askedAt: PersonalExport.time(try row.int("asked_at")))
        }
        return try await PersonalExport(memberships, approvals).answer(request)
    }

    func erase(_ request: PrivacyEraseRequest, _ call: Call) async throws -> PrivacyEraseResponse {
        let (erased, owned) = try await MemberStore(call).erase(request.person)
        return .with {
            $0.erased = ["memberships": UInt64(erased)]
            $0.kept = ["approvals: who asked and who decided, under the pseudonym"]
            if owned > 0 {
                $0.kept.append(
                    "ownership of \(owned) project\(owned == 1 ? "" : "s") that would have no owner, under the pseudonym"
                )
            }
        }
    }
}
