// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Roles of a tenant's own making: a common role and some actions beside it.
extension Access: AccessRolesContract {
    /// Most roles of a tenant.
    private static let roles: Int64 = 200

    func putRole(_ request: AccessPutRoleRequest, _ call: Call) async throws -> AccessCustomRole {
        guard Self.isRoleName(request.roleID) else { throw AccessError.roleName }
        guard [.viewer, .editor].contains(request.base) else { throw AccessError.roleBase }
        guard request.permissions.count <= 100,
            request.permissions.allSatisfy({ Permission.isWellFormed($0, isPattern: true) })
        else { throw AccessError.permissions }
        let role = AccessCustomRole.with {
            $0.id = request.roleID
            $0.base = request.base
            $0.permissions = Set(request.permissions).sorted()
            $0.updatedAt = host.now
        }
        try await RoleStore(call).put(role, most: Self.roles)
        return role
    }

    func listRoles(_ request: AccessListRolesRequest, _ call: Call) async throws -> AccessRoleList {
        let roles = try await RoleStore(call).roles()
        return .with { $0.items = roles }
    }

    func deleteRole(_ request: AccessDeleteRoleRequest, _ call: Call) async throws -> AccessDeleteRoleResponse {
        guard Self.isRoleName(request.roleID) else { throw AccessError.roleName }
        try await RoleStore(call).remove(request.roleID)
        return AccessDeleteRoleResponse()
    }

    /// 2 to 40 lower-case letters, digits, `-` and `_`, a letter first, and none of the common names.
    static func isRoleName(_ text: String) -> Bool {
        guard (2...40).contains(text.utf8.count), !["viewer", "editor", "admin", "owner", "service"].contains(text),
            let first = text.utf8.first, (0x61...0x7A).contains(first)
        else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x61...0x7A, 0x2D, 0x5F: true
            default: false
            }
        }
    }
}
