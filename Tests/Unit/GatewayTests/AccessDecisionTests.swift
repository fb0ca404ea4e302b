// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Testing

@testable import Gateway

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
}
