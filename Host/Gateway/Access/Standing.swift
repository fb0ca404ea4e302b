// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreContracts
internal import TheatreManifest

/// What a principal is to a project.
struct Standing: Sendable, Hashable {
    var role: MemberRole?
    /// When the role ends, in milliseconds since 1970; 0: it does not by itself.
    var expiresAt: Int64 = 0
    var status = Status.unknown
    /// What a role of the tenant's own allows beside ``role``: `run:start`, `shot:*`.
    var permissions: Set<String> = []
    /// Its name; empty for a common one.
    var customRole = ""
    /// Blocks of addresses from which the role counts; none: from everywhere.
    var networks: [AddressBlock] = []
    /// There is a role, and these are not its hours.
    var isOutsideHours = false
    /// Actions of the project that take two.
    var fourEyes: Set<String> = []

    /// Whether the project lives.
    enum Status: Sendable, Hashable {
        /// The tenant has no such project, or has deleted it.
        case unknown
        case active
        case archived
    }

    init(role: MemberRole?, expiresAt: Int64 = 0, status: Status = .active) {
        self.role = role
        self.expiresAt = expiresAt
        self.status = status
    }

    init(_ message: AccessStanding) {
        role = MemberRole(rawValue: message.role.rawValue)
        expiresAt = message.expiresAt
        permissions = Set(message.permissions)
        customRole = message.customRole
        // A block that cannot be read lets nobody in: none at all would let in everybody.
        networks = message.networks.map { AddressBlock($0) ?? .nowhere }
        isOutsideHours = message.outsideHours
        fourEyes = Set(message.fourEyes)
        status =
            switch message.status {
            case .active: .active
            case .archived: .archived
            default: .unknown
            }
    }

    /// The role as it is now.
    func role(at now: Int64) -> MemberRole? { expiresAt == 0 || expiresAt > now ? role : nil }

    /// Whether the role counts from there.
    func counts(from address: NetworkAddress?) -> Bool {
        networks.isEmpty || address.map { address in networks.contains { $0.contains(address) } } == true
    }

    /// Whether a role of the tenant's own allows `permission`, which is `resource:action`.
    func allows(_ permission: String, resource: String) -> Bool {
        !permissions.isEmpty && (permissions.contains(permission) || permissions.contains("\(resource):*"))
    }
}
