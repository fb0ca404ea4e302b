// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What a member of a project may do; each role may do what those before it may.
enum MemberRole: Int, Comparable, Sendable, CaseIterable {
    case viewer = 1
    case editor
    case admin
    case owner

    static func < (one: MemberRole, other: MemberRole) -> Bool { one.rawValue < other.rawValue }

    /// As manifests and answers say it.
    var name: String {
        switch self {
        case .viewer: "viewer"
        case .editor: "editor"
        case .admin: "admin"
        case .owner: "owner"
        }
    }

    init?(name: String) {
        guard let role = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = role
    }
}
