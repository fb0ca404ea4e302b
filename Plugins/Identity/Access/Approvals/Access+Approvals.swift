// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Actions that one person asks for and another approves.
extension Access: AccessApprovalsContract {
    /// How long a request waits, and an approval is good: a day.
    private static let lifetime: Int64 = 86_400_000
    /// Most requests of a project that wait.
    private static let waiting: Int64 = 1000
    /// Changing what takes two takes two.
    static let own = "project:four_eyes"

    func getFourEyes(_ request: AccessGetFourEyesRequest, _ call: Call) async throws -> AccessFourEyes {
        let actions = try await ApprovalStore(call).fourEyes(of: request.projectID)
        return .with { $0.actions = actions }
    }

    func putFourEyes(_ request: AccessPutFourEyesRequest, _ call: Call) async throws -> AccessFourEyes {
        guard request.actions.count <= 50,
            request.actions.allSatisfy({ Permission.isWellFormed($0, isPattern: false) })
        else { throw AccessError.permissions }
        var actions = Set(request.actions)
        if !actions.isEmpty { actions.insert(Self.own) }
        let sorted = actions.sorted()
        try await ApprovalStore(call).put(fourEyes: sorted, of: request.projectID)
        return .with { $0.actions = sorted }
    }

    func listApprovals(_ request: AccessListApprovalsRequest, _ call: Call) async throws -> AccessApprovalPage {
        try await ApprovalStore(call).approvals(
            of: request.projectID, limit: Self.limit(request.limit), cursor: request.cursor)
    }

    func decideApproval(_ request: AccessDecideApprovalRequest, _ call: Call) async throws -> AccessApproval {
        guard request.note.unicodeScalars.count <= 500 else { throw AccessError.note }
        return try await ApprovalStore(call).decide(request, by: Self.principal(call), at: host.now)
    }

    // MARK: theatre.access.v1.Policy

    func requestApproval(_ request: AccessRequestApprovalRequest, _ call: Call) async throws -> AccessApproval {
        let now = host.now
        let approval = AccessApproval.with {
            $0.id = ULID.next(prefix: "apr", at: now)
            $0.projectID = request.project
            $0.action = request.action
            $0.askedBy = request.principal
            $0.request = request.request
            $0.state = .waiting
            $0.askedAt = now
            $0.expiresAt = now + Self.lifetime
        }
        return try await ApprovalStore(call).ask(
            StoredApproval(approval, role: request.role, digest: request.digest), at: now, most: Self.waiting)
    }

    func useApproval(_ request: AccessUseApprovalRequest, _ call: Call) async throws -> AccessApproval {
        try await ApprovalStore(call).use(request, at: host.now)
    }
}
