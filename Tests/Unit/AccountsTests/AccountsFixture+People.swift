// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Accounts

/// The other ways in: a provider of codes and one of OAuth that are the test's own, and calls by their callers.
extension AccountsFixture {
    static let device = String(repeating: "d", count: 43)

    /// Numbers get the code 123456, for one use; OAuth codes are `code-SUBJECT`.
    func serveProviders() {
        for feature in ["accounts.phone", "accounts.email"] {
            host.fake(feature, "Start") { (request: AuthStartRequest, _) -> AuthStartResponse in
                .with {
                    $0.challenge = "for:\(request.identifier)"
                    $0.expiresIn = 300
                }
            }
            host.fake(feature, "Verify") { (request: AuthVerifyRequest, _) -> AuthVerifyResponse in
                guard request.secret == "123456", request.challenge == "for:\(request.identifier)" else {
                    throw PluginError(.unauthenticated, "auth.refused", "No.")
                }
                return .with {
                    $0.subject = request.identifier
                    guard feature == "accounts.email" else { return }
                    $0.claims = ["email": request.identifier, "email_verified": "true"]
                }
            }
            host.fake(feature, "Remove") { (_: AuthRemoveRequest, _) in AuthRemoveResponse() }
        }
        host.fake("accounts.wechat", "Start") { (request: AuthStartRequest, _) -> AuthStartResponse in
            .with {
                $0.challenge = "oauth"
                $0.authorizeURL = "https://elsewhere.example/?to=\(request.redirectUri)&state=\(request.state)"
                $0.expiresIn = 600
            }
        }
        host.fake("accounts.wechat", "Verify") { (request: AuthVerifyRequest, _) -> AuthVerifyResponse in
            guard request.challenge == "oauth", request.secret.hasPrefix("code-") else {
                throw PluginError(.unauthenticated, "auth.refused", "No.")
            }
            return .with { $0.subject = String(request.secret.dropFirst(5)) }
        }
        host.fake("accounts.wechat", "Remove") { (_: AuthRemoveRequest, _) in AuthRemoveResponse() }
    }

    private func scope(_ principal: String, _ session: String) -> TestScope {
        host.scope(principal: principal, tenant: "default") { context in
            context.session = session
            context.route = "POST /api/v1/auth"
            context.requestID = "req_\(ULID.next(at: host.now))"
            context.audit = "change"
            context.publishes = "account,session"
        }
    }

    func identities(_ principal: String = "") -> AccountsIdentitiesClient {
        AccountsIdentitiesClient(scope(principal, ""), feature: "accounts")
    }

    func factor(_ principal: String = "") -> AccountsSecondFactorClient {
        AccountsSecondFactorClient(scope(principal, ""), feature: "accounts")
    }

    func bans(_ principal: String = "usr_admin") -> AccountsBansClient {
        AccountsBansClient(scope(principal, ""), feature: "accounts")
    }

    func credentials(_ principal: String, session: String = "ses_1") -> AccountsCredentialsClient {
        AccountsCredentialsClient(scope(principal, session), feature: "accounts")
    }

    func privacy(_ principal: String = "", session: String = "ses_1") -> AccountsPrivacyClient {
        AccountsPrivacyClient(scope(principal, session), feature: "accounts")
    }

    func keys() -> AccountsKeysClient { AccountsKeysClient(scope("", ""), feature: "accounts") }

    func guest(_ secret: String = device) async throws -> AccountsSession {
        try await identities().signInDevice(.with { $0.deviceSecret = secret })
    }

    func phone(_ number: String = "+8613800000000") async throws -> AccountsSession {
        let sent = try await identities().sendCode(
            .with {
                $0.channel = "phone"
                $0.identifier = number
            })
        return try await identities().verifyCode(
            .with {
                $0.channel = "phone"
                $0.identifier = number
                $0.code = "123456"
                $0.challenge = sent.challenge
            })
    }

    func link(
        _ provider: String, _ identifier: String, _ secret: String, _ challenge: String = "", to account: String
    ) async throws -> AccountsIdentity {
        try await identities(account).linkIdentity(
            .with {
                $0.provider = provider
                $0.identifier = identifier
                $0.secret = secret
                $0.challenge = challenge
            })
    }

    func ways(into account: String) async throws -> [String] {
        try await identities(account).listIdentities(AccountsListIdentitiesRequest()).items.map(\.provider)
    }

    /// A form to an endpoint of OAuth: the status and the body.
    func post(
        _ route: String, _ form: String, type: String = "application/x-www-form-urlencoded",
        headers: [(String, String)] = []
    ) async throws -> (status: UInt32, body: String) {
        let response = try await HTTPHandlerClient(scope("", ""), feature: "accounts").handle(
            .with {
                $0.method = "POST"
                $0.route = route
                $0.body = Data(form.utf8)
                $0.headers = ([("content-type", type)] + headers).map { name, value in
                    .with {
                        $0.name = name
                        $0.value = value
                    }
                }
            })
        #expect(response.headers.contains { $0.name == "cache-control" && $0.value == "no-store" })
        return (response.status, String(decoding: response.body, as: UTF8.self))
    }
}
