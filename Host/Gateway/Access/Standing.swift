// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreContracts

/// What a principal is to a project.
struct Standing: Sendable, Hashable {
    var role: MemberRole?
    /// When the role ends, in milliseconds since 1970; 0: it does not by itself.
    var expiresAt: Int64 = 0
    var status = Status.unknown

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
        status =
            switch message.status {
            case .active: .active
            case .archived: .archived
            default: .unknown
            }
    }

    /// The role as it is now.
    func role(at now: Int64) -> MemberRole? { expiresAt == 0 || expiresAt > now ? role : nil }
}
