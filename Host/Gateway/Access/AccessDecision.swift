// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreManifest

/// Whether a caller may, and what that followed from. A pure function of rule, standing and time.
struct AccessDecision: Sendable, Hashable {
    /// Nil where the caller may.
    let refusal: Refusal?
    /// What decided, for the audit and for explanations: `editor needed, owner held`.
    let path: String
    /// Somebody else has to approve it first.
    var needsApproval = false

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
    ///   - address: where the request comes from.
    ///   - now: milliseconds since 1970.
    init(
        _ rule: AccessRule, _ standing: Standing, project: String, roles: [String], from address: NetworkAddress? = nil,
        at now: Int64
    ) {
        let needed = rule.role.name
        let isNear = standing.counts(from: address)
        let own = isNear ? standing.role(at: now) : nil
        let held = roles.contains("admin") ? max(own ?? .admin, .admin) : own
        let through = held == own ? "" : " as an admin of the tenant"
        // Who has no role learns no more of a project than of one that is not there.
        guard standing.status != .unknown, let held else {
            path = "\(needed) needed, \(Self.nothing(standing, isNear: isNear)) held"
            refusal = .noRole(needed)
            return
        }
        let isGranted =
            held < rule.role && rule.role <= .editor && standing.allows(rule.permission, resource: rule.resource)
        guard held >= rule.role || isGranted else {
            path = "\(needed) needed, \(held.name) held\(through)"
            refusal = Refusal(
                reason: "access.denied",
                message: "This needs the role \(needed) in \(project), and you are \(held.name); ask one of its admins."
            )
            return
        }
        let by = isGranted ? " with \(rule.permission) by \(standing.customRole)" : through
        guard standing.status == .active || !rule.writes || rule.role >= .admin else {
            path = "\(needed) needed, \(held.name) held\(by), archived"
            refusal = Refusal(
                reason: "access.archived", message: "\(project) is archived and can only be read; have it reopened.")
            return
        }
        refusal = nil
        needsApproval = rule.writes && standing.fourEyes.contains(rule.permission)
        path = "\(needed) needed, \(held.name) held\(by)\(needsApproval ? ", and somebody's approval" : "")"
    }

    /// What is left of a role that does not count.
    private static func nothing(_ standing: Standing, isNear: Bool) -> String {
        if standing.status == .unknown { return "nothing" }
        if standing.isOutsideHours { return "a role outside its hours" }
        guard standing.role != nil else { return "nothing" }
        return isNear ? "a role that has ended" : "a role that does not count from there"
    }
}
