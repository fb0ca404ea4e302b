// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Access

/// Projects and members as callers of the plugin see them.
struct AccessTests {
    private let fixture: AccessFixture

    init() async throws { fixture = try await AccessFixture() }

    @Test func whoMakesAProjectOwnsIt() async throws {
        let made = try await fixture.make()
        #expect(made.role == .owner && made.status == .active && made.language == "zh" && made.id.hasPrefix("prj_"))
        #expect(try await fixture.projects().getProject(.with { $0.projectID = made.id }) == made)
        let standing = try await fixture.standing(of: "usr_1", in: made.id)
        #expect(standing.role == .owner && standing.status == .active && standing.expiresAt == 0)
        #expect(try await fixture.standing(of: "usr_2", in: made.id).role == .unspecified)
        #expect(try await fixture.events() == ["project.created \(made.id)"])
    }

    @Test func aTenantSeesNothingOfAnothers() async throws {
        let made = try await fixture.make()
        #expect(try await fixture.standing(of: "usr_1", in: made.id, tenant: "other") == AccessStanding())
        #expect(try await fixture.projects(tenant: "other").listProjects(AccessListProjectsRequest()).items.isEmpty)
        let reason = try await reason {
            try await fixture.projects(tenant: "other").getProject(.with { $0.projectID = made.id })
        }
        #expect(reason == "access.no_project")
    }

    @Test func aListHasOnlyOnesOwnNewestFirstAPageAtATime() async throws {
        var own: [String] = []
        for number in 0..<7 {
            fixture.host.advance(milliseconds: 1)
            own.append(try await fixture.make("own \(number)").id)
            _ = try await fixture.make("theirs \(number)", by: "usr_2")
        }
        let shared = try await fixture.make("shared", by: "usr_2").id
        try await fixture.put("usr_1", .viewer, in: shared, by: "usr_2")
        let gone = try await fixture.make("gone", by: "usr_1").id
        _ = try await fixture.projects().deleteProject(.with { $0.projectID = gone })
        var seen: [AccessProject] = []
        var cursor = ""
        repeat {
            let page = try await fixture.projects().listProjects(
                .with {
                    $0.limit = 3
                    $0.cursor = cursor
                })
            #expect(page.items.count <= 3)
            seen += page.items
            cursor = page.nextCursor
        } while !cursor.isEmpty
        #expect(seen.map(\.id) == [shared] + own.reversed())
        #expect(seen[0].role == .viewer && seen[1].role == .owner)
    }

    @Test func aRoleEndsWhenItsTimeHasCome() async throws {
        let project = try await fixture.make().id
        let end = fixture.host.now + 60_000
        try await fixture.put("usr_2", .editor, in: project, until: end)
        #expect(try await fixture.standing(of: "usr_2", in: project).expiresAt == end)
        #expect(try await fixture.projects("usr_2").listProjects(AccessListProjectsRequest()).items.count == 1)
        fixture.host.advance(milliseconds: 60_000)
        #expect(try await fixture.projects("usr_2").listProjects(AccessListProjectsRequest()).items.isEmpty)
        // The standing still says when it was: what is kept of it lapses by itself.
        #expect(try await fixture.standing(of: "usr_2", in: project).expiresAt == end)
        let past = try await reason {
            try await fixture.put("usr_2", .editor, in: project, until: fixture.host.now)
        }
        #expect(past == "access.bad_expiry")
    }

    @Test func onlyOwnersMakeAndUnmakeOwnersAndOneStays() async throws {
        let project = try await fixture.make().id
        try await fixture.put("usr_2", .admin, in: project)
        #expect(
            try await reason { try await fixture.put("usr_3", .owner, in: project, by: "usr_2") } == "access.owner_only"
        )
        #expect(
            try await reason { try await fixture.put("usr_1", .viewer, in: project, by: "usr_2") }
                == "access.owner_only")
        #expect(
            try await reason { try await fixture.remove("usr_1", from: project, by: "usr_2") } == "access.owner_only")
        #expect(try await reason { try await fixture.put("usr_1", .admin, in: project) } == "access.last_owner")
        #expect(try await reason { try await fixture.remove("usr_1", from: project) } == "access.last_owner")
        try await fixture.put("usr_2", .owner, in: project)
        try await fixture.remove("usr_1", from: project)
        #expect(try await fixture.standing(of: "usr_1", in: project).role == .unspecified)
        #expect(try await fixture.standing(of: "usr_2", in: project).role == .owner)
    }

    @Test func whatChangesADecisionIsPublished() async throws {
        let project = try await fixture.make().id
        try await fixture.put("usr_2", .viewer, in: project)
        try await fixture.remove("usr_2", from: project)
        _ = try await fixture.projects().updateProject(
            .with {
                $0.projectID = project
                $0.name = "东京"
            })
        let archived = try await fixture.projects().updateProject(
            .with {
                $0.projectID = project
                $0.status = .archived
            })
        #expect(archived.name == "东京" && archived.status == .archived)
        #expect(try await fixture.standing(of: "usr_1", in: project).status == .archived)
        #expect(
            try await fixture.events()
                == [
                    "project.created", "access.changed", "access.changed", "project.changed", "access.changed",
                    "project.changed",
                ].map { "\($0) \(project)" })
    }

    @Test func aDeletedProjectIsGone() async throws {
        let project = try await fixture.make().id
        let deleted = try await fixture.projects().deleteProject(.with { $0.projectID = project })
        #expect(deleted.status == .deleted)
        #expect(try await fixture.standing(of: "usr_1", in: project).status == .deleted)
        let again = try await reason { try await fixture.projects().deleteProject(.with { $0.projectID = project }) }
        #expect(again == "access.no_project")
    }

    @Test(arguments: [
        ("usr_", AccessRole.viewer, "access.bad_member"), ("root", .viewer, "access.bad_member"),
        ("usr_2'; DROP TABLE members", .viewer, "access.bad_member"), ("usr_ⅰ", .viewer, "access.bad_member"),
        ("usr_2", .unspecified, "access.bad_role"), ("usr_2", .UNRECOGNIZED(9), "access.bad_role"),
    ])
    func aMemberThatIsNoneIsRefused(_ member: String, _ role: AccessRole, _ expected: String) async throws {
        let project = try await fixture.make().id
        #expect(try await reason { try await fixture.put(member, role, in: project) } == expected)
        let page = try await fixture.projects().listMembers(.with { $0.projectID = project })
        #expect(page.items.map(\.userID) == ["usr_1"])
    }

    @Test(arguments: ["", "  ", "a\u{0}b", String(repeating: "京", count: 121)])
    func aNameThatIsNoneIsRefused(_ name: String) async throws {
        #expect(try await reason { try await fixture.make(name) } == "access.bad_name")
    }

    @Test func aProjectHasNoMoreMembersThanItMay() async throws {
        let small = try await AccessFixture(#"{"members": 2}"#)
        let project = try await small.make().id
        try await small.put("usr_2", .viewer, in: project)
        #expect(
            try await reason { try await small.put("svc:mover", .editor, in: project) } == "access.too_many_members")
        // A change of role needs no room.
        try await small.put("usr_2", .editor, in: project)
    }

    /// Random grants and removals by random members: there is always an owner, and never one that no owner made.
    @Test(arguments: UInt64(1)...4) func ownersAlwaysRemain(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let project = try await fixture.make().id
        let people = (1...4).map { "usr_\($0)" }
        var roles: [String: AccessRole] = ["usr_1": .owner]
        for _ in 0..<60 {
            let actor = people.randomElement(using: &random) ?? "", member = people.randomElement(using: &random) ?? ""
            let role = [AccessRole.viewer, .editor, .admin, .owner, .unspecified].randomElement(using: &random)
            let wanted = role ?? .unspecified
            let touchesOwner = roles[member] == .owner || wanted == .owner
            let isLast = roles[member] == .owner && wanted != .owner && roles.values.count { $0 == .owner } == 1
            let isAllowed = (!touchesOwner || roles[actor] == .owner) && !isLast
            let refusal = try await reason {
                if wanted == .unspecified { return try await fixture.remove(member, from: project, by: actor) }
                try await fixture.put(member, wanted, in: project, by: actor)
            }
            #expect((refusal == nil) == isAllowed, "\(actor) \(member) \(wanted) \(roles)")
            if refusal == nil { roles[member] = wanted == .unspecified ? nil : wanted }
        }
        let members = try await fixture.projects().listMembers(.with { $0.projectID = project }).items
        #expect(Dictionary(uniqueKeysWithValues: members.map { ($0.userID, $0.role) }) == roles)
        #expect(roles.values.contains(.owner))
    }
}
