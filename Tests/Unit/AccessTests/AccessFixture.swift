// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Access
@testable import SQLite

/// The plugin over the real database.
struct AccessFixture {
    let host = TestHost()
    let probe: PluginHost

    init(_ configuration: String = "{}") async throws {
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("access.storage", to: "sqlite", capability: "theatre.sql.v1.Database")
        host.route("log", to: "sqlite", capability: "theatre.events.v1.Log")
        probe = try await TableProbe.install(host, as: "access", storage: "access.storage")
        try await host.install(
            Access.self, manifest: .plugin("Identity/Access"), instance: "access", configuration: configuration)
        host.route("projects", to: "access", capability: "theatre.access.v1.Projects")
        host.route("policy", to: "access", capability: "theatre.access.v1.Policy")
        host.route("roles", to: "access", capability: "theatre.access.v1.Roles")
        host.route("approvals", to: "access", capability: "theatre.access.v1.Approvals")
    }

    func roles(_ principal: String = "usr_1", tenant: String = "default") -> AccessRolesClient {
        AccessRolesClient(scope(principal, tenant), feature: "roles")
    }

    func approvals(_ principal: String = "usr_1", tenant: String = "default") -> AccessApprovalsClient {
        AccessApprovalsClient(scope(principal, tenant), feature: "approvals")
    }

    /// As the gateway asks.
    func policy(tenant: String = "default") -> AccessPolicyClient {
        AccessPolicyClient(host.scope(tenant: tenant) { $0.publishes = Self.topics }, feature: "policy")
    }

    private static let topics = "access,approval,project"

    private func scope(_ principal: String, _ tenant: String) -> some CallScope {
        host.scope(principal: principal, tenant: tenant) { $0.publishes = Self.topics }
    }

    func projects(_ principal: String = "usr_1", tenant: String = "default") -> AccessProjectsClient {
        AccessProjectsClient(scope(principal, tenant), feature: "projects")
    }

    func standing(of principal: String, in project: String, tenant: String = "default") async throws -> AccessStanding {
        try await AccessPolicyClient(host.scope(tenant: tenant), feature: "policy").getStanding(
            .with {
                $0.principal = principal
                $0.project = project
            })
    }

    func make(_ name: String = "汴京", by principal: String = "usr_1", tenant: String = "default") async throws
        -> AccessProject
    {
        try await projects(principal, tenant: tenant).createProject(.with { $0.name = name })
    }

    @discardableResult
    func put(
        _ member: String, _ role: AccessRole, in project: String, by actor: String = "usr_1", until: Int64 = 0
    ) async throws -> AccessMember {
        try await projects(actor).putMember(
            .with {
                $0.projectID = project
                $0.userID = member
                $0.role = role
                $0.expiresAt = until
            })
    }

    func remove(_ member: String, from project: String, by actor: String = "usr_1") async throws {
        _ = try await projects(actor).removeMember(
            .with {
                $0.projectID = project
                $0.userID = member
            })
    }

    /// Types and aggregates of what was published, in order.
    func events() async throws -> [String] {
        let page = try await EventsLogClient(host.scope(as: "host"), feature: "log").read(.with { $0.limit = 500 })
        return page.events.map { "\($0.type) \($0.aggregate)" }
    }
}

/// The reason of the error that `body` ends with; nil where it ends with none.
func reason(_ body: () async throws -> some Sendable) async throws -> String? {
    do {
        _ = try await body()
        return nil
    } catch let error as PluginError {
        return error.reason
    }
}

/// Expects an error of this reason.
func expectRefusal(
    _ expected: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("was not refused as \(expected)", sourceLocation: sourceLocation)
    } catch {
        #expect((error as? PluginError)?.reason == expected, "\(error)", sourceLocation: sourceLocation)
    }
}
