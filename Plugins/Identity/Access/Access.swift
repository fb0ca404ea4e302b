// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Projects, who belongs to them with which role, and what decisions are made by.
///
/// Whether a caller may is decided in the gateway, by ``getStanding(_:_:)``, before anything here is called; here is
/// looked at only what the decision cannot know: owners make owners, and one always stays.
struct Access: Plugin, AccessProjectsContract, AccessPolicyContract {
    static let storage = "access.storage"

    static var operations: [TheatrePlugin.Operation<Access>] {
        accessProjectsOperations + accessPolicyOperations + accessRolesOperations + accessApprovalsOperations
            + privacyHolderOperations
    }

    let host: PluginHost
    let configuration: AccessConfiguration

    init(_ host: PluginHost, _ configuration: AccessConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    func activate() async throws {
        try await Database(host, feature: Self.storage).migrate(AccessSchema.migrations)
    }

    // MARK: theatre.access.v1.Policy

    func getStanding(_ request: AccessGetStandingRequest, _ call: Call) async throws -> AccessStanding {
        try await MemberStore(call).standing(of: request.principal, in: request.project, at: host.now)
    }

    // MARK: projects

    func createProject(_ request: AccessCreateProjectRequest, _ call: Call) async throws -> AccessProject {
        let owner = try Self.principal(call)
        guard Self.isName(request.name) else { throw AccessError.name }
        let language = request.language.isEmpty ? "zh" : request.language
        guard LanguageTag.isWellFormed(language) else { throw AccessError.language }
        let now = host.now
        let project = AccessProject.with {
            $0.id = ULID.next(prefix: "prj", at: now)
            $0.name = request.name
            $0.language = language
            $0.status = .active
            $0.role = .owner
            $0.createdAt = now
            $0.updatedAt = now
        }
        try await ProjectStore(call).add(project, owner: owner)
        return project
    }

    func listProjects(_ request: AccessListProjectsRequest, _ call: Call) async throws -> AccessProjectPage {
        try await ProjectStore(call).projects(
            of: Self.principal(call), at: host.now, limit: Self.limit(request.limit), cursor: request.cursor)
    }

    func getProject(_ request: AccessGetProjectRequest, _ call: Call) async throws -> AccessProject {
        try await project(request.projectID, call)
    }

    func updateProject(_ request: AccessUpdateProjectRequest, _ call: Call) async throws -> AccessProject {
        guard !request.hasName || Self.isName(request.name) else { throw AccessError.name }
        guard [.unspecified, .active, .archived].contains(request.status) else { throw AccessError.status }
        return try await change(request.projectID, call) {
            if request.hasName { $0.name = request.name }
            if request.status != .unspecified { $0.status = request.status }
        }
    }

    func deleteProject(_ request: AccessDeleteProjectRequest, _ call: Call) async throws -> AccessProject {
        try await change(request.projectID, call) { $0.status = .deleted }
    }

    private func project(_ id: String, _ call: Call) async throws -> AccessProject {
        let found = try await ProjectStore(call).project(id, of: Self.principal(call), at: host.now)
        guard let found, found.status != .deleted else { throw AccessError.noProject }
        return found
    }

    /// Reads, changes and stores a project; once more where somebody else changed it in between.
    private func change(
        _ id: String, _ call: Call, _ body: (inout AccessProject) -> Void
    ) async throws -> AccessProject {
        var attempt = 1
        while true {
            let before = try await project(id, call)
            var after = before
            body(&after)
            after.updatedAt = max(host.now, before.updatedAt + 1)
            do {
                try await ProjectStore(call).update(after, was: before)
                return after
            } catch let error as PluginError where error.reason == "sql.expectation" && attempt < 5 {
                attempt += 1
            }
        }
    }

    // MARK: members

    func listMembers(_ request: AccessListMembersRequest, _ call: Call) async throws -> AccessMemberPage {
        try await MemberStore(call).members(
            of: request.projectID, limit: Self.limit(request.limit), cursor: request.cursor)
    }

    func putMember(_ request: AccessPutMemberRequest, _ call: Call) async throws -> AccessMember {
        let actor = try Self.principal(call)
        guard Self.isPrincipal(request.userID) else { throw AccessError.member }
        guard request.role == .unspecified || request.customRole.isEmpty else { throw AccessError.twoRoles }
        guard [.viewer, .editor, .admin, .owner].contains(request.role) || Self.isRoleName(request.customRole) else {
            throw AccessError.role
        }
        guard request.role != .owner || !request.hasConditions else { throw AccessError.conditions }
        _ = try RoleConditions(request.conditions)
        let now = host.now
        guard request.expiresAt == 0 || (request.expiresAt > now && request.role != .owner) else {
            throw AccessError.expiry
        }
        let member = AccessMember.with {
            $0.userID = request.userID
            $0.role = request.role
            $0.grantedBy = actor
            $0.grantedAt = now
            $0.expiresAt = request.expiresAt
            $0.customRole = request.customRole
            if request.hasConditions { $0.conditions = request.conditions }
        }
        return try await MemberStore(call).put(member, in: request.projectID, most: configuration.members)
    }

    func removeMember(_ request: AccessRemoveMemberRequest, _ call: Call) async throws -> AccessRemoveMemberResponse {
        let actor = try Self.principal(call)
        guard Self.isPrincipal(request.userID) else { throw AccessError.member }
        try await MemberStore(call).remove(request.userID, from: request.projectID, by: actor)
        return AccessRemoveMemberResponse()
    }
}
