// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What a registration asks for, checked.
enum Registration {
    /// The account to make.
    static func account(_ request: AccountsRegisterRequest, at now: Int64) throws -> AccountsAccount {
        guard let email = EmailAddress(request.email) else { throw AccountsError.email() }
        let nickname = request.nickname.isEmpty ? String(email.local.prefix(40)) : request.nickname
        guard (1...40).contains(nickname.unicodeScalars.count), nickname.contains(where: { !$0.isWhitespace }),
            nickname.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else { throw AccountsError.nickname() }
        let locale = request.locale.isEmpty ? "en" : request.locale
        guard isTag(locale) else { throw AccountsError.locale() }
        return .with {
            $0.id = ULID.next(prefix: "usr", at: now)
            $0.email = email.text
            $0.nickname = nickname
            $0.locale = locale
            $0.createdAt = now
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

    /// Whether it has the form of a BCP 47 tag.
    private static func isTag(_ text: String) -> Bool {
        let subtags = text.split(separator: "-", omittingEmptySubsequences: false)
        return text.utf8.count <= 35 && (2...8).contains(subtags[0].utf8.count)
            && subtags.allSatisfy { subtag in
                (1...8).contains(subtag.utf8.count)
                    && subtag.utf8.allSatisfy {
                        switch $0 {
                        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                        default: false
                        }
                    }
            }
    }
}
