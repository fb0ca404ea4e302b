// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOHTTP1
internal import Runtime
public import TheatreManifest

/// What every route answers everybody, by the same rules by which requests are decided.
public enum AccessMatrix {
    /// Who asks, as seen from the project that a request is about.
    public enum Asker: String, Sendable, CaseIterable {
        /// Members.
        case owner, admin, editor, viewer
        /// Was a member.
        case expired
        /// Of the tenant, and a member elsewhere.
        case otherProject = "other-project"
        /// Of another tenant.
        case otherTenant = "other-tenant"
        /// Looks after the tenant.
        case tenantAdmin = "tenant-admin"
        /// A program with a token of its own that is a member of nothing.
        case service
        /// Nobody.
        case signedOut = "signed-out"
        /// An owner whose session was ended: who is banned has none.
        case banned
    }

    /// What one of them is answered.
    public struct Cell: Sendable, Hashable {
        /// 0 where the request is let in.
        public let status: Int
        /// Why it is not; empty where it is let in.
        public let reason: String

        static let allowed = Cell(status: 0, reason: "")

        /// As a table shows it.
        public var text: String { status == 0 ? "yes" : String(status) }
    }

    /// What a route answers, in the order of ``Asker/allCases``.
    public static func cells(_ route: Manifest.Route) -> [Cell] { Asker.allCases.map { cell(route, $0) } }

    private static func cell(_ route: Manifest.Route, _ asker: Asker) -> Cell {
        if asker == .banned { return refused(.token("auth.revoked", "")) }
        let access = RouteAccess(rawValue: route.access) ?? .admin
        guard access != .anyone else { return .allowed }
        guard asker != .signedOut else { return refused(.tokenMissing) }
        let principal = Principal(
            id: "usr_1", kind: asker == .service ? .service : .user, roles: asker == .tenantAdmin ? ["admin"] : [],
            expiresAt: .max)
        guard principal.mayCall(access) else { return Cell(status: 403, reason: "auth.access") }
        guard let rule = AccessRule(route) else { return .allowed }
        let decision = AccessDecision(rule, standing(of: asker), project: "", roles: principal.roles, at: 1000)
        return decision.refusal.map { Cell(status: 403, reason: $0.reason) } ?? .allowed
    }

    private static func refused(_ error: ErrorResponse) -> Cell {
        Cell(status: Int(error.status.code), reason: error.reason)
    }

    private static func standing(of asker: Asker) -> Standing {
        switch asker {
        case .owner: Standing(role: .owner)
        case .admin: Standing(role: .admin)
        case .editor: Standing(role: .editor)
        case .viewer: Standing(role: .viewer)
        case .expired: Standing(role: .owner, expiresAt: 1000)
        case .otherProject, .tenantAdmin, .service, .signedOut, .banned: Standing(role: nil)
        case .otherTenant: Standing(role: nil, status: .unknown)
        }
    }
}
