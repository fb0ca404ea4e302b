// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
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

        enum CodingKeys: String, CodingKey {
            case id, project, action
            case askedAt = "asked_at"
        }
    }

    private struct Export: Encodable {
        var memberships: [Membership]
        var approvals: [Approval]
        var truncated: Bool
    }

    func export(_ request: PrivacyExportRequest, _ call: Call) async throws -> PrivacyExportResponse {
        let database = Database(call, feature: Self.storage)
        let members = try await database.read(
            """
            SELECT project, role, custom_role, granted_at FROM {members}
            WHERE tenant = :tenant AND principal = ?1 ORDER BY granted_at DESC, project LIMIT 1001
            """, request.person)
        let approvals = try await database.read(
            """
            SELECT id, project, action, asked_at FROM {approvals}
            WHERE tenant = :tenant AND (asked_by = ?1 OR decided_by = ?1) ORDER BY id DESC LIMIT 1001
            """, request.person)
        var budget = ExportBudget()
        let memberships = try budget.fitting(
            members.prefix(1000).map { row in
                let (role, custom) = (AccessRole(rawValue: Int(try row.int("role"))), try row.text("custom_role"))
                return Membership(
                    project: try row.text("project"), role: custom.isEmpty ? "\(role ?? .unspecified)" : custom,
                    since: Self.time(try row.int("granted_at")))
            })
        let asked = try budget.fitting(
            approvals.prefix(1000).map { row in
                Approval(
                    id: try row.text("id"), project: try row.text("project"), action: try row.text("action"),
                    askedAt: Self.time(try row.int("asked_at")))
            })
        let export = Export(
            memberships: memberships, approvals: asked,
            truncated: members.count > memberships.count || approvals.count > asked.count)
        let json = String(decoding: try JSONEncoder().encode(export), as: UTF8.self)
        return .with { $0.json = json }
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

    private static func time(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000).ISO8601Format()
    }
}
