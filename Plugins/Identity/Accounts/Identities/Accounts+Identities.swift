// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Sign-in by codes, by other providers and by a device, and what belongs to one account.
extension Accounts: AccountsIdentitiesContract {
    func sendCode(_ request: AccountsSendCodeRequest, _ call: Call) async throws -> AccountsProof {
        let provider = try IdentityProvider.find(request.channel, call) { $0.sendsCodes }
        let locale = call.context.locale
        let started = try await provider.client(call).start(
            .with {
                $0.identifier = request.identifier
                $0.device = request.device
                $0.locale = locale
            })
        return .with {
            $0.challenge = started.challenge
            $0.expiresIn = started.expiresIn
        }
    }

    func verifyCode(_ request: AccountsVerifyCodeRequest, _ call: Call) async throws -> AccountsSession {
        let provider = try IdentityProvider.find(request.channel, call) { $0.sendsCodes }
        let proved = try await ProvedIdentity.prove(
            provider,
            .with {
                $0.identifier = request.identifier
                $0.secret = request.code
                $0.challenge = request.challenge
            }, call)
        return try await enter(proved, call)
    }

    func startOAuth(_ request: AccountsStartOAuthRequest, _ call: Call) async throws -> AccountsProof {
        let provider = try IdentityProvider.find(request.provider, call) { $0.isElsewhere }
        let locale = call.context.locale
        let started = try await provider.client(call).start(
            .with {
                $0.redirectUri = request.redirectUri
                $0.state = request.state
                $0.device = request.device
                $0.locale = locale
            })
        return .with {
            $0.challenge = started.challenge
            $0.authorizeURL = started.authorizeURL
            $0.expiresIn = started.expiresIn
            $0.nonce = started.nonce
        }
    }

    func finishOAuth(_ request: AccountsFinishOAuthRequest, _ call: Call) async throws -> AccountsSession {
        let provider = try IdentityProvider.find(request.provider, call) { $0.isElsewhere }
        let proved = try await ProvedIdentity.prove(
            provider,
            .with {
                $0.secret = request.code
                $0.challenge = request.challenge
                $0.state = request.state
                $0.issuer = request.issuer
                $0.identityToken = request.identityToken
            }, call)
        return try await enter(proved, call)
    }

    func signInDevice(_ request: AccountsSignInDeviceRequest, _ call: Call) async throws -> AccountsSession {
        guard request.locale.isEmpty || LanguageTag.isWellFormed(request.locale) else { throw AccountsError.locale() }
        return try await enter(try ProvedIdentity(device: request.deviceSecret), locale: request.locale, call)
    }

    func listIdentities(_ request: AccountsListIdentitiesRequest, _ call: Call) async throws -> AccountsIdentityList {
        let identities = try await IdentityStore(call).identities(of: call.principal)
        return .with { $0.items = identities }
    }

    func linkIdentity(_ request: AccountsLinkIdentityRequest, _ call: Call) async throws -> AccountsIdentity {
        let provider = try IdentityProvider.find(request.provider, call)
        guard provider != .password else { return try await linkPassword(request, call) }
        let proved = try await ProvedIdentity.prove(
            provider,
            .with {
                $0.identifier = request.identifier
                $0.secret = request.secret
                $0.challenge = request.challenge
                $0.state = request.state
                $0.issuer = request.issuer
                $0.identityToken = request.identityToken
            }, call)
        return try await IdentityStore(call).link(proved, to: call.principal, at: host.now)
    }

    func unlinkIdentity(
        _ request: AccountsUnlinkIdentityRequest, _ call: Call
    ) async throws -> AccountsUnlinkIdentityResponse {
        let response = AccountsUnlinkIdentityResponse()
        let gone = try await IdentityStore(call).unlink(request.identityID, from: call.principal, answer: response)
        guard gone.provider.feature != nil else { return response }
        do {
            _ = try await gone.provider.client(call).remove(.with { $0.subject = gone.subject })
        } catch {
            // It leads nowhere already; what is left at the provider is replaced when it is linked again.
            host.log.warning(
                "an identity that was unlinked is still with its provider",
                ["provider": gone.provider.rawValue, "error": "\(error)"])
        }
        return response
    }

    /// Signs in whoever was proved; makes an account where there is none.
    private func enter(_ identity: ProvedIdentity, locale: String = "", _ call: Call) async throws -> AccountsSession {
        let now = host.now
        let fresh = AccountsAccount.with {
            $0.id = ULID.next(prefix: "usr", at: now)
            $0.nickname = identity.email.map { String($0.local.prefix(40)) } ?? "guest"
            $0.locale = locale.isEmpty ? "en" : locale
            $0.createdAt = now
            $0.timeZone = "UTC"
        }
        let id = try await adopt(identity, fresh, call)
        guard let account = try await AccountsStore(call).account(id) else { throw AccountsError.refused() }
        return try await signIn(account, call)
    }

    /// Whose an identity is; of nobody, the fresh account's.
    private func adopt(_ identity: ProvedIdentity, _ fresh: AccountsAccount, _ call: Call) async throws -> String {
        let store = IdentityStore(call)
        if let known = try await store.owner(of: identity) { return known }
        var account = fresh
        account.email = identity.email?.text ?? ""
        var index = account.id
        if let email = identity.email {
            index = try await KeyedIndex(call).text(of: email.text, tenant: call.tenant)
        }
        return try await store.adopt(identity, account, index: index, AccountsStore(call).vault)
    }

    /// A password is not proved but made; its address is held meanwhile, as at a registration.
    private func linkPassword(_ request: AccountsLinkIdentityRequest, _ call: Call) async throws -> AccountsIdentity {
        let (store, identities) = (AccountsStore(call), IdentityStore(call))
        guard let email = EmailAddress(request.identifier) else { throw AccountsError.identifier() }
        guard let account = try await store.account(call.principal) else { throw AccountsError.noAccount() }
        guard try await !identities.identities(of: account.id).contains(where: { $0.provider == "password" }) else {
            throw AccountsError.identityTaken()
        }
        let now = host.now
        let held = AccountsAccount.with {
            $0.id = ULID.next(prefix: "usr", at: now)
            $0.email = email.text
            $0.nickname = account.nickname
            $0.locale = account.locale
            $0.createdAt = now
        }
        let isOwn = account.email == email.text
        let index = try await KeyedIndex(call).text(of: email.text, tenant: call.tenant)
        if !isOwn { try await store.reserve(held, index: index) }
        let subject: String
        do {
            subject = try await Registration.enroll(held, request.secret, call)
        } catch var error as PluginError where error.effect == .none {
            if !isOwn { try await store.release(held) }
            if error.detail == "/password" { error.detail = "/secret" }
            if error.detail == "/email" { error.detail = "/identifier" }
            throw error
        }
        return try await identities.link(
            ProvedIdentity(.password, subject: subject), to: account.id, at: now,
            address: try await .init(email, of: account, index: index, store.vault), reservation: held.id)
    }
}
