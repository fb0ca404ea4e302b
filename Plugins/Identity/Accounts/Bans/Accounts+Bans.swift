// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What admins of the tenant do with accounts.
extension Accounts: AccountsBansContract {
    func banUser(_ request: AccountsBanUserRequest, _ call: Call) async throws -> AccountsBan {
        let now = host.now
        guard request.until == 0 || request.until > now else { throw AccountsError.until() }
        guard !request.reason.isEmpty else { throw AccountsError.banReason() }
        guard request.userID != call.principal else { throw AccountsError.ownAccount() }
        let principal = call.principal
        let ban = AccountsBan.with {
            $0.userID = request.userID
            $0.reason = request.reason
            $0.by = principal
            $0.at = now
            $0.until = request.until
        }
        try await BanStore(call).ban(ban)
        return ban
    }

    func unbanUser(_ request: AccountsUnbanUserRequest, _ call: Call) async throws -> AccountsUnbanUserResponse {
        let response = AccountsUnbanUserResponse()
        try await BanStore(call).unban(request.userID, answer: response)
        return response
    }
}
