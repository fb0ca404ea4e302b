// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// From a first factor that was proved to a session.
extension Accounts {
    /// A session, or the challenge of the second factor where the account has one.
    ///
    /// - Parameter attempts: whose failures are forgotten by it.
    func signIn(_ account: AccountsAccount, forgetting attempts: [UInt8] = [], _ call: Call) async throws
        -> AccountsSession
    {
        try await refuseBanned(account.id, call)
        let factors = FactorStore(call)
        if try await factors.factor(of: account.id)?.isOn == true {
            let challenge = RefreshToken.random()
            try await factors.challenge(challenge.hash, account.id, at: host.now, forgetting: attempts)
            return .with { $0.mfaChallenge = challenge.text }
        }
        return try await beginSession(account, forgetting: attempts, call)
    }

    /// A session; `proving` is done in its transaction.
    func beginSession(
        _ account: AccountsAccount, forgetting attempts: [UInt8], _ call: Call,
        proving: nonisolated(nonsending) (Transaction) async throws -> Void = { _ in }
    ) async throws -> AccountsSession {
        let token = RefreshToken.random()
        let session = SessionRow(account: account.id, first: token, at: host.now)
        let response = try await answer(session, token, account, call)
        try await SessionStore(call).begin(
            session, forgetting: attempts, configuration.limits, proving: proving)
        return response
    }

    func refuseBanned(_ account: String, _ call: Call) async throws {
        if let ban = try await BanStore(call).ban(of: account, at: host.now) {
            throw AccountsError.banned(until: ban.until == 0 ? nil : ban.until, at: host.now)
        }
    }

    func answer(
        _ session: SessionRow, _ refresh: RefreshToken, _ account: AccountsAccount, _ call: Call
    ) async throws -> AccountsSession {
        let seconds = host.now / 1000
        let access = AccessToken(
            iss: configuration.issuer, aud: configuration.audience, sub: account.id, sid: session.id, iat: seconds,
            exp: seconds + configuration.accessSeconds, jti: ULID.next(prefix: "tok", at: host.now),
            roles: configuration.roles(of: account.id), tenant: call.tenant.isEmpty ? "default" : call.tenant)
        let text = try await access.signed(call)
        return .with {
            $0.accessToken = text
            $0.tokenType = "Bearer"
            $0.expiresIn = UInt32(clamping: configuration.accessSeconds)
            $0.refreshToken = refresh.text
            $0.account = account
        }
    }
}
