// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreManifest

@testable import Gateway
@testable import Runtime

struct AccessDecisionTests {
    private func decide(
        _ role: MemberRole, writes: Bool = false, _ standing: Standing, roles: [String] = ["user"], at now: Int64 = 1000
    ) -> AccessDecision {
        AccessDecision(
            AccessRule(parameter: "project_id", role: role, writes: writes), standing, project: "prj_1", roles: roles,
            at: now)
    }

    @Test(arguments: MemberRole.allCases, MemberRole.allCases)
    func aRoleMayWhatThoseBeforeItMay(_ needed: MemberRole, _ held: MemberRole) {
        let decision = decide(needed, Standing(role: held))
        #expect((decision.refusal == nil) == (held >= needed))
        #expect(decision.path == "\(needed.name) needed, \(held.name) held")
        #expect(decision.refusal.map(\.reason) == (held >= needed ? nil : "access.denied"))
    }

    /// Who has no role is told the same of a project that is there and of one that is not.
    @Test func whatIsNotThereLooksLikeWhatIsNotOnes() {
        let none = decide(.viewer, Standing(role: nil))
        let missing = decide(.viewer, Standing(role: nil, status: .unknown))
        #expect(none.refusal == missing.refusal && none.refusal?.reason == "access.denied")
        // Also for those who belonged to it before it was deleted.
        #expect(decide(.viewer, Standing(role: .owner, status: .unknown)).refusal == missing.refusal)
        #expect(decide(.viewer, Standing(role: .owner, status: .unknown), roles: ["admin"]).refusal == missing.refusal)
    }

    @Test func aRoleEndsAtItsTime() {
        let standing = Standing(role: .editor, expiresAt: 2000)
        #expect(decide(.editor, standing, at: 1999).refusal == nil)
        let after = decide(.editor, standing, at: 2000)
        #expect(after.refusal?.reason == "access.denied" && after.path == "editor needed, a role that has ended held")
    }

    @Test func anAdminOfTheTenantLooksAfterEveryProjectAndOwnsNone() {
        let decision = decide(.admin, Standing(role: nil), roles: ["admin", "user"])
        #expect(decision.refusal == nil && decision.path == "admin needed, admin held as an admin of the tenant")
        #expect(decide(.owner, Standing(role: nil), roles: ["admin"]).refusal?.reason == "access.denied")
        #expect(decide(.owner, Standing(role: .owner), roles: ["admin"]).path == "owner needed, owner held")
    }

    @Test func whatIsArchivedIsReadAndLookedAfter() {
        let archived = Standing(role: .owner, status: .archived)
        #expect(decide(.viewer, archived).refusal == nil)
        #expect(decide(.editor, writes: true, archived).refusal?.reason == "access.archived")
        #expect(decide(.admin, writes: true, archived).refusal == nil)
    }

    /// More can never be refused: a higher role, a longer one, a project that lives.
    @Test(arguments: UInt64(1)...4) func moreIsNeverLess(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let needed = MemberRole.allCases.randomElement(using: &random) ?? .viewer
            let writes = Bool.random(using: &random), now = Int64.random(in: 0...10, using: &random)
            let held = MemberRole(rawValue: Int.random(in: 0...4, using: &random))
            let ends = Int64.random(in: 0...10, using: &random)
            let status = [Standing.Status.active, .archived, .unknown].randomElement(using: &random) ?? .active
            let roles = Bool.random(using: &random) ? ["admin"] : []
            let decision = decide(
                needed, writes: writes, Standing(role: held, expiresAt: ends, status: status), roles: roles, at: now)
            guard decision.refusal == nil else { continue }
            let more = Standing(role: held.flatMap { MemberRole(rawValue: $0.rawValue + 1) } ?? .owner, status: .active)
            #expect(decide(needed, writes: writes, more, roles: ["admin"], at: now).refusal == nil)
            #expect(status != .unknown)
        }
    }

    // MARK: roles of one's own, conditions, four eyes

    private func decide(_ rule: AccessRule, _ standing: Standing, from address: String = "192.0.2.1") -> AccessDecision
    {
        AccessDecision(
            rule, standing, project: "prj_1", roles: ["user"], from: NetworkAddress(address), at: 1000)
    }

    private func start(_ role: MemberRole = .editor) -> AccessRule {
        AccessRule(parameter: "project_id", role: role, writes: true, resource: "run", action: "start")
    }

    @Test func aRoleOfOnesOwnAllowsItsActionsAndNothingElse() {
        var standing = Standing(role: .viewer)
        (standing.customRole, standing.permissions) = ("runner", ["run:start", "shot:*"])
        let decision = decide(start(), standing)
        #expect(decision.refusal == nil && decision.path == "editor needed, viewer held with run:start by runner")
        let other = AccessRule(parameter: "project_id", role: .editor, writes: true, resource: "run", action: "stop")
        #expect(decide(other, standing).refusal?.reason == "access.denied")
        let shot = AccessRule(parameter: "project_id", role: .editor, writes: true, resource: "shot", action: "lock")
        #expect(decide(shot, standing).refusal == nil)
        for role in [MemberRole.admin, .owner] {
            #expect(decide(start(role), standing).refusal != nil, "\(role.name) is never given so")
        }
        standing.status = .archived
        #expect(decide(start(), standing).refusal?.reason == "access.archived")
        standing.role = nil
        #expect(decide(start(), standing).refusal?.reason == "access.denied", "no role, no permissions")
    }

    @Test func aRoleCountsFromItsNetworksAlone() throws {
        var standing = Standing(role: .owner)
        standing.networks = [try #require(AddressBlock("10.0.0.0/8"))]
        #expect(decide(start(), standing, from: "10.1.2.3").refusal == nil)
        let away = decide(start(), standing)
        #expect(away.refusal?.reason == "access.denied")
        #expect(away.path == "editor needed, a role that does not count from there held")
        let nowhere = AccessDecision(start(), standing, project: "prj_1", roles: ["user"], at: 1000)
        #expect(nowhere.refusal != nil, "an address that is not known is in no network")
        let unreadable = Standing(
            .with {
                $0.role = .owner
                $0.status = .active
                $0.networks = ["anywhere"]
            })
        #expect(decide(start(), unreadable).refusal != nil, "what cannot be read lets nobody in")
    }

    @Test func whatTakesTwoSaysSoAndReadingNeverDoes() {
        var standing = Standing(role: .owner)
        standing.fourEyes = ["run:start"]
        let decision = decide(start(), standing)
        #expect(decision.refusal == nil && decision.needsApproval && decision.path.hasSuffix("somebody's approval"))
        #expect(!decide(start(.owner), Standing(role: .owner)).needsApproval)
        let read = AccessRule(parameter: "project_id", role: .viewer, resource: "run", action: "start")
        #expect(!decide(read, standing).needsApproval)
        standing.role = .viewer
        #expect(!decide(start(), standing).needsApproval, "who may not at all asks nobody")
    }
}
