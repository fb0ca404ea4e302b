// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Access

/// Roles of a tenant's own making, and roles that count at times and from places.
@Suite struct ConditionTests {
    private func role(_ fixture: AccessFixture, _ id: String, _ permissions: [String], base: AccessRole = .viewer)
        async throws
    {
        _ = try await fixture.roles().putRole(
            .with {
                $0.roleID = id
                $0.base = base
                $0.permissions = permissions
            })
    }

    private func give(
        _ fixture: AccessFixture, _ project: String, custom: String = "", role: AccessRole = .unspecified,
        _ conditions: AccessConditions? = nil, until: Int64 = 0
    ) async throws -> AccessMember {
        try await fixture.projects().putMember(
            .with {
                $0.projectID = project
                $0.userID = "usr_2"
                $0.role = role
                $0.customRole = custom
                $0.expiresAt = until
                if let conditions { $0.conditions = conditions }
            })
    }

    @Test func aRoleOfOnesOwnIsGivenChangedAndTakenAway() async throws {
        let fixture = try await AccessFixture()
        let project = try await fixture.make().id
        try await role(fixture, "runner", ["run:start", "run:start", "shot:*"])
        let member = try await give(fixture, project, custom: "runner")
        #expect(member.role == .viewer && member.customRole == "runner")
        var standing = try await fixture.standing(of: "usr_2", in: project)
        #expect(standing.role == .viewer && standing.customRole == "runner")
        #expect(standing.permissions == ["run:start", "shot:*"])
        // Whoever has it has what it holds now.
        try await role(fixture, "runner", ["run:stop"], base: .editor)
        standing = try await fixture.standing(of: "usr_2", in: project)
        #expect(standing.role == .editor && standing.permissions == ["run:stop"])
        #expect(
            try await fixture.projects().listMembers(.with { $0.projectID = project }).items.map(\.customRole) == [
                "", "runner",
            ])
        let listed = try await fixture.roles().listRoles(AccessListRolesRequest())
        #expect(listed.items.map(\.id) == ["runner"] && listed.items[0].base == .editor)
        #expect(try await fixture.roles("usr_9", tenant: "other").listRoles(AccessListRolesRequest()).items.isEmpty)

        await expectRefusal("access.role_in_use") {
            _ = try await fixture.roles().deleteRole(.with { $0.roleID = "runner" })
        }
        _ = try await give(fixture, project, role: .viewer)
        _ = try await fixture.roles().deleteRole(.with { $0.roleID = "runner" })
        #expect(try await fixture.standing(of: "usr_2", in: project).permissions.isEmpty)
        await expectRefusal("access.no_role") { _ = try await give(fixture, project, custom: "runner") }
    }

    @Test(arguments: [
        ("viewer", ["run:start"], "access.bad_role_name"), ("Runner", ["run:start"], "access.bad_role_name"),
        ("r", ["run:start"], "access.bad_role_name"), ("runner", ["run"], "access.bad_permission"),
        ("runner", ["*:start"], "access.bad_permission"), ("runner", ["run:start "], "access.bad_permission"),
        ("runner", ["run:start:now"], "access.bad_permission"),
    ])
    func whatIsNoRoleIsRefused(_ id: String, _ permissions: [String], _ reason: String) async throws {
        let fixture = try await AccessFixture()
        await expectRefusal(reason) { try await role(fixture, id, permissions) }
        await expectRefusal("access.bad_base") { try await role(fixture, "ruler", [], base: .admin) }
    }

    @Test func aRoleCountsInItsHoursAndEndsWithThem() async throws {
        let fixture = try await AccessFixture()
        let project = try await fixture.make().id
        let now = fixture.host.now
        let day = Date(timeIntervalSince1970: Double(now) / 1000).formatted(
            Date.ISO8601FormatStyle().year().month().day())
        let midnight = Int64(try Date.ISO8601FormatStyle().parse("\(day)T00:00:00Z").timeIntervalSince1970) * 1000
        let allDay = AccessConditions.with {
            $0.hours = [
                .with {
                    $0.from = "00:00"
                    $0.until = "24:00"
                }
            ]
            $0.networks = ["10.0.0.0/8"]
        }
        _ = try await give(fixture, project, role: .editor, allDay)
        var standing = try await fixture.standing(of: "usr_2", in: project)
        #expect(standing.role == .editor && standing.expiresAt == midnight + 86_400_000)
        #expect(standing.networks == ["10.0.0.0/8"] && !standing.outsideHours)
        _ = try await give(fixture, project, role: .editor, allDay, until: now + 1000)
        standing = try await fixture.standing(of: "usr_2", in: project)
        #expect(standing.expiresAt == min(now + 1000, midnight + 86_400_000))
        // Two hours of the other half of the day.
        let other = (now - midnight) / 3_600_000 < 12 ? ("20:00", "22:00") : ("02:00", "04:00")
        _ = try await give(
            fixture, project, role: .editor,
            .with {
                $0.hours = [
                    .with {
                        $0.from = other.0
                        $0.until = other.1
                    }
                ]
            })
        standing = try await fixture.standing(of: "usr_2", in: project)
        #expect(standing.role == .unspecified && standing.outsideHours)
    }

    @Test func conditionsThatCannotBeMeantAreRefused() async throws {
        let fixture = try await AccessFixture()
        let project = try await fixture.make().id
        for network in ["10.0.0.1/8", "ten", "10.0.0.0/33", "::/129", ""] {
            await expectRefusal("access.bad_network") {
                _ = try await give(fixture, project, role: .viewer, .with { $0.networks = [network] })
            }
        }
        await expectRefusal("access.bad_hours") {
            _ = try await give(fixture, project, role: .viewer, .with { $0.hours = [.with { $0.from = "8" }] })
        }
        await expectRefusal("access.bad_conditions") {
            _ = try await give(fixture, project, role: .owner, .with { $0.networks = ["10.0.0.0/8"] })
        }
        await expectRefusal("access.two_roles") {
            _ = try await give(fixture, project, custom: "runner", role: .viewer)
        }
        #expect(try await fixture.standing(of: "usr_2", in: project).role == .unspecified)
    }
}
