// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Whether a caller may, and what that followed from. A pure function of rule, standing and time.
struct AccessDecision: Sendable, Hashable {
    /// Nil where the caller may.
    let refusal: Refusal?
    /// What decided, for the audit and for explanations: `editor needed, owner held`.
    let path: String

    /// Why not.
    struct Refusal: Sendable, Hashable {
        /// Stable code.
        let reason: String
        /// One sentence with what to do.
        let message: String

        static func noRole(_ needed: String) -> Refusal {
            Refusal(
                reason: "access.denied",
                message: "You have no role in the project of this request; ask one of its admins for \(needed).")
        }
    }

    /// For a row that the tenant does not have.
    static func unknownRow(_ rule: AccessRule) -> AccessDecision {
        AccessDecision(refusal: .noRole(rule.role.name), path: "\(rule.role.name) needed, the row is unknown")
    }

    private init(refusal: Refusal, path: String) {
        self.refusal = refusal
        self.path = path
    }

    /// - Parameters:
    ///   - project: as the caller named it, or the row's.
    ///   - roles: of the caller's token; `admin` looks after every project of the tenant.
    ///   - now: milliseconds since 1970.
    init(_ rule: AccessRule, _ standing: Standing, project: String, roles: [String], at now: Int64) {
        let needed = rule.role.name
        let own = standing.role(at: now)
        let held = roles.contains("admin") ? max(own ?? .admin, .admin) : own
        let through = held == own ? "" : " as an admin of the tenant"
        // Who has no role learns no more of a project than of one that is not there.
        guard standing.status != .unknown, let held else {
            let lapsed = standing.status != .unknown && standing.role != nil && own == nil
            path = "\(needed) needed, \(lapsed ? "a role that has ended" : "nothing") held"
            refusal = .noRole(needed)
            return
        }
        guard held >= rule.role else {
            path = "\(needed) needed, \(held.name) held\(through)"
            refusal = Refusal(
                reason: "access.denied",
                message: "This needs the role \(needed) in \(project), and you are \(held.name); ask one of its admins."
            )
            return
        }
        guard standing.status == .active || !rule.writes || rule.role >= .admin else {
            path = "\(needed) needed, \(held.name) held\(through), archived"
            refusal = Refusal(
                reason: "access.archived", message: "\(project) is archived and can only be read; have it reopened.")
            return
        }
        path = "\(needed) needed, \(held.name) held\(through)"
        refusal = nil
    }
}
