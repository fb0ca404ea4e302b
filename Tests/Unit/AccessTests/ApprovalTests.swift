// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Access

/// What one person asks for and another approves.
@Suite struct ApprovalTests {
    private static func digest(_ byte: UInt8) -> Data { Data(repeating: byte, count: 32) }

    private func ask(
        _ fixture: AccessFixture, _ project: String, by principal: String = "usr_1", role: AccessRole = .owner,
        _ byte: UInt8 = 1
    ) async throws -> AccessApproval {
        try await fixture.policy().requestApproval(
            .with {
                $0.principal = principal
                $0.project = project
                $0.action = "project:delete"
                $0.role = role
                $0.request = "DELETE /api/v1/projects/\(project)"
                $0.digest = Self.digest(byte)
            })
    }

    private func decide(_ fixture: AccessFixture, _ approval: AccessApproval, by actor: String, _ approve: Bool = true)
        async throws -> AccessApproval
    {
        try await fixture.approvals(actor).decideApproval(
            .with {
                $0.projectID = approval.projectID
                $0.approvalID = approval.id
                $0.approve = approve
                $0.note = "seen"
            })
    }

    private func use(
        _ fixture: AccessFixture, _ approval: AccessApproval, by principal: String = "usr_1", _ byte: UInt8 = 1,
        key: String = "key-1"
    ) async throws -> AccessApproval {
        try await fixture.policy().useApproval(
            .with {
                $0.approval = approval.id
                $0.principal = principal
                $0.digest = Self.digest(byte)
                $0.idempotencyKey = key
            })
    }

    @Test func anApprovalIsGivenByAnotherAndSpentOnce() async throws {
        let fixture = try await AccessFixture()
        let project = try await fixture.make().id
        try await fixture.put("usr_2", .owner, in: project)
        try await fixture.put("usr_3", .admin, in: project)
        let approval = try await ask(fixture, project)
        #expect(approval.state == .waiting && approval.id.hasPrefix("apr_"))
        #expect(try await ask(fixture, project).id == approval.id, "the same request waits once")
        #expect(try await ask(fixture, project, 2).id != approval.id)
        await expectRefusal("access.not_approved") { _ = try await use(fixture, approval) }
        await expectRefusal("access.own_approval") { _ = try await decide(fixture, approval, by: "usr_1") }
        await expectRefusal("access.approver_role") { _ = try await decide(fixture, approval, by: "usr_3") }
        let decided = try await decide(fixture, approval, by: "usr_2")
        #expect(decided.state == .approved && decided.decidedBy == "usr_2" && decided.note == "seen")
        await expectRefusal("access.decided") { _ = try await decide(fixture, approval, by: "usr_2", false) }
        for (principal, byte) in [("usr_2", UInt8(1)), ("usr_1", 2)] {
            await expectRefusal("access.not_approved") {
                _ = try await use(fixture, approval, by: principal, byte)
            }
        }
        #expect(try await use(fixture, approval).state == .used)
        #expect(try await use(fixture, approval).decidedBy == "usr_2", "the same request again is no second use")
        await expectRefusal("access.not_approved") { _ = try await use(fixture, approval, key: "key-2") }
        await expectRefusal("access.not_approved") { _ = try await use(fixture, approval, key: "") }
        let listed = try await fixture.approvals().listApprovals(.with { $0.projectID = project })
        #expect(listed.items.map(\.state) == [.waiting, .used])
    }

    @Test func whatWasRefusedOrWaitedTooLongIsAskedAnew() async throws {
        let fixture = try await AccessFixture()
        let project = try await fixture.make().id
        try await fixture.put("usr_2", .owner, in: project)
        let first = try await ask(fixture, project)
        #expect(try await decide(fixture, first, by: "usr_2", false).state == .refused)
        await expectRefusal("access.not_approved") { _ = try await use(fixture, first) }
        let second = try await ask(fixture, project)
        #expect(second.id != first.id)
        _ = try await decide(fixture, second, by: "usr_2")
        fixture.host.advance(milliseconds: 86_400_001)
        await expectRefusal("access.not_approved") { _ = try await use(fixture, second) }
        let third = try await ask(fixture, project)
        #expect(third.id != second.id)
        fixture.host.advance(milliseconds: 86_400_001)
        await expectRefusal("access.decided") { _ = try await decide(fixture, third, by: "usr_2") }
    }

    @Test func anotherTenantAndAnotherProjectSeeNothing() async throws {
        let fixture = try await AccessFixture()
        let project = try await fixture.make().id, other = try await fixture.make("other").id
        let approval = try await ask(fixture, project)
        var elsewhere = approval
        elsewhere.projectID = other
        await expectRefusal("access.no_approval") { _ = try await decide(fixture, elsewhere, by: "usr_2") }
        #expect(try await fixture.approvals().listApprovals(.with { $0.projectID = other }).items.isEmpty)
        #expect(
            try await fixture.approvals("usr_1", tenant: "other").listApprovals(.with { $0.projectID = project })
                .items.isEmpty)
    }

    @Test func changingWhatTakesTwoTakesTwo() async throws {
        let fixture = try await AccessFixture()
        let project = try await fixture.make().id
        let set = try await fixture.approvals().putFourEyes(
            .with {
                $0.projectID = project
                $0.actions = ["project:delete", "acl:grant", "acl:grant"]
            })
        #expect(set.actions == ["acl:grant", "project:delete", "project:four_eyes"])
        #expect(try await fixture.standing(of: "usr_1", in: project).fourEyes == set.actions)
        #expect(try await fixture.approvals().getFourEyes(.with { $0.projectID = project }) == set)
        await expectRefusal("access.bad_permission") {
            _ = try await fixture.approvals().putFourEyes(
                .with {
                    $0.projectID = project
                    $0.actions = ["project:*"]
                })
        }
        let none = try await fixture.approvals().putFourEyes(.with { $0.projectID = project })
        #expect(none.actions.isEmpty)
    }
}
