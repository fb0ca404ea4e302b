// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Access

/// What a person's erasure leaves of his memberships.
struct HolderTests {
    private struct Export: Decodable {
        struct Membership: Decodable { var project: String }
        struct Approval: Decodable { var id: String }
        var memberships: [Membership]?
        var approvals: [Approval]?
    }

    /// More of both than a page has room for: one list ends and the other begins within a page.
    @Test func everyRoleAndApprovalIsInOnePage() async throws {
        let fixture = try await AccessFixture()
        fixture.host.route("holder", to: "access", capability: "theatre.privacy.v1.Holder")
        let database = Database(fixture.probe, feature: "access.storage")
        let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
        // Of varying size: what a row is made of begins with its number and has up to 96 letters more.
        let long = "substr('\(String(repeating: "x", count: 96))', 1, n.i % 97)"
        try await database.commit { batch in
            batch.run(
                """
                /* tenants: all */ INSERT INTO {members}
                    (tenant, project, principal, role, granted_by, granted_at, custom_role)
                \(numbers) SELECT 'default', 'prj_' || n.i, 'usr_' || (n.i % 2), 1, 'usr_9', n.i, \(long) FROM n
                """)
            batch.run(
                """
                /* tenants: all */ INSERT INTO {approvals} (tenant, id, project, action, role, asked_by, request,
                    state, decided_by, asked_at, expires_at, note, digest, used_key)
                \(numbers) SELECT 'default', 'apr_' || n.i, 'prj_1', \(long), 1, 'usr_1', '', 1,
                    'usr_1', n.i, n.i, '', cast('00' AS BLOB), '' FROM n
                """)
        }
        let holder = PrivacyHolderClient(fixture.host.scope(), feature: "holder")
        let pages = try await HolderPages.all(of: "usr_1", from: holder).map { json in
            try JSONDecoder().decode(Export.self, from: Data(json.utf8))
        }
        #expect(pages.count > 2 && pages.contains { $0.memberships != nil && $0.approvals != nil })
        let memberships = pages.flatMap { $0.memberships ?? [] }.map(\.project)
        #expect(memberships.count == 2500)
        let projects: [String] = stride(from: 1, through: 5000, by: 2).map { "prj_\($0)" }
        #expect(Set(memberships) == Set(projects))
        let approvals = pages.flatMap { $0.approvals ?? [] }.map(\.id)
        let asked: [String] = (1...5000).map { "apr_\($0)" }
        #expect(approvals.count == 5000)
        #expect(Set(approvals) == Set(asked))
    }

    @Test func everyRoleGoesButThatOfTheLastOwner() async throws {
        let fixture = try await AccessFixture()
        fixture.host.route("holder", to: "access", capability: "theatre.privacy.v1.Holder")
        let holder = PrivacyHolderClient(fixture.host.scope(), feature: "holder")
        let own = try await fixture.projects().createProject(.with { $0.name = "灯会" }).id
        let shared = try await fixture.projects("usr_2").createProject(.with { $0.name = "元宵" }).id
        _ = try await fixture.projects("usr_2").putMember(
            .with {
                $0.projectID = shared
                $0.userID = "usr_1"
                $0.role = .editor
            })
        let export = try await holder.export(.with { $0.person = "usr_1" }).json
        #expect(export.contains(own) && export.contains(shared))
        let erased = try await holder.erase(.with { $0.person = "usr_1" })
        #expect(erased.erased == ["memberships": 1])
        #expect(erased.kept.contains { $0.contains("1 project ") })
        #expect(try await fixture.standing(of: "usr_1", in: own).role == .owner)
        #expect(try await fixture.standing(of: "usr_1", in: shared).role == .unspecified)
        #expect(try await fixture.standing(of: "usr_2", in: shared).role == .owner)
    }
}
