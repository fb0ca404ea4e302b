// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What a registration asks for, checked.
enum Registration {
    /// The account to make.
    static func account(_ request: AccountsRegisterRequest, at now: Int64) throws -> AccountsAccount {
        guard let email = EmailAddress(request.email) else { throw AccountsError.email() }
        let nickname = request.nickname.isEmpty ? String(email.local.prefix(40)) : request.nickname
        guard Profile.isNickname(nickname) else { throw AccountsError.nickname() }
        let locale = request.locale.isEmpty ? "en" : request.locale
        guard LanguageTag.isWellFormed(locale) else { throw AccountsError.locale() }
        return .with {
            $0.id = ULID.next(prefix: "usr", at: now)
            $0.email = email.text
            $0.nickname = nickname
            $0.locale = locale
            $0.createdAt = now
            $0.timeZone = "UTC"
        }
    }

    /// Stores the credential. One left by a registration that was never finished is replaced.
    static func enroll(_ account: AccountsAccount, _ password: String, _ call: Call) async throws -> String {
        do {
            return try await AuthProviderClient(call, feature: "accounts.password").enroll(
                .with {
                    $0.identifier = account.email
                    $0.secret = password
                    $0.replace = true
                }, CallOptions(timeout: .seconds(20))
            ).subject
        } catch var error as PluginError where error.code == .invalidArgument {
            // The fields have other names in this request.
            switch error.detail {
            case "/secret": error.detail = "/password"
            case "/identifier": error.detail = "/email"
            default: break
            }
            throw error
        }
    }
}
