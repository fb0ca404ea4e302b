// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Accounts of people, their sessions and tokens, over HTTP.
struct Accounts: Plugin, AccountsContract, HTTPHandlerContract {
    static var operations: [TheatrePlugin.Operation<Accounts>] {
        accountsOperations + accountsIdentitiesOperations + accountsSecondFactorOperations + accountsBansOperations
            + accountsPrivacyOperations + accountsCredentialsOperations + accountsKeysOperations
            + httpHandlerOperations + jobsWorkerOperations
    }

    let host: PluginHost
    let configuration: AccountsConfiguration

    init(_ host: PluginHost, _ configuration: AccountsConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    func activate() async throws {
        try await AccountsStore(host).migrate()
        try await AccountsStore(host).startSealing()
    }

    func register(_ request: AccountsRegisterRequest, _ call: Call) async throws -> AccountsSession {
        let account = try Registration.account(request, at: host.now)
        let store = AccountsStore(call)
        try await store.reserve(account, index: KeyedIndex(call).text(of: account.email, tenant: call.tenant))
        let subject: String
        do {
            subject = try await Registration.enroll(account, request.password, call)
        } catch let error as PluginError where error.effect == .none {
            // After any other effect the credential may yet be stored: the address stays held until that is past.
            try await store.release(account)
            throw error
        }
        let token = RefreshToken.random()
        let session = SessionRow(account: account.id, first: token, at: host.now)
        let response = try await answer(session, token, account, call)
        try await store.finish(account, provider: AccountsStore.provider, subject: subject, session)
        return response
    }

    func login(_ request: AccountsLoginRequest, _ call: Call) async throws -> AccountsSession {
        guard let email = EmailAddress(request.email) else { throw AccountsError.refused() }
        let attempts = SignInAttempts(call, configuration)
        let identifier = try await attempts.identifier(of: email)
        try await attempts.begin(identifier, at: host.now)
        let subject = try await verify(email, request.password, undoing: identifier, attempts, call)
        let found = try await AccountsStore(call).account(provider: AccountsStore.provider, subject: subject)
        guard let account = found else { throw AccountsError.refused() }
        return try await signIn(account, forgetting: identifier, call)
    }

    func refresh(_ request: AccountsRefreshRequest, _ call: Call) async throws -> AccountsSession {
        let store = SessionStore(call)
        guard let token = RefreshToken(request.refreshToken), let id = try await store.session(of: token.hash) else {
            throw AccountsError.refreshRefused()
        }
        let (successor, session) = try await trade(token, in: id, store, call)
        guard let account = try await AccountsStore(call).account(session.account) else {
            throw AccountsError.refreshRefused()
        }
        try await refuseBanned(account.id, call)
        return try await answer(session, successor, account, call)
    }

    /// Trades a token for its successor: that of another trade of the same token, where there was one.
    private func trade(
        _ token: RefreshToken, in id: String, _ store: SessionStore, _ call: Call
    ) async throws -> (RefreshToken, SessionRow) {
        var version = ""
        while true {
            // Made before the transaction: inside it nobody is called.
            let made = try await token.successor(in: id, by: version, call)
            let presented = try await store.present(
                token.hash, successor: made.token.hash, by: made.version, in: id, at: host.now, configuration.limits)
            guard let (outcome, session) = presented else { throw AccountsError.refreshRefused() }
            switch outcome {
            case .rotated, .repeated: return (made.token, session)
            // The key was rotated since the other trade; once, since that one is done.
            case .remade where version.isEmpty && !session.keyVersion.isEmpty: version = session.keyVersion
            case .reused:
                host.log.warning("a refresh token was used twice; its session has ended", ["session.id": session.id])
                throw AccountsError.refreshRefused()
            case .remade, .refused: throw AccountsError.refreshRefused()
            }
        }
    }

    func logout(_ request: AccountsLogoutRequest, _ call: Call) async throws -> AccountsLogoutResponse {
        let response = AccountsLogoutResponse()
        try await SessionStore(call).end(
            call.context.session, of: call.principal, at: host.now, cause: "logout", answer: response)
        return response
    }

    func me(_ request: AccountsMeRequest, _ call: Call) async throws -> AccountsAccount {
        guard let account = try await AccountsStore(call).account(call.principal) else {
            throw AccountsError.noAccount()
        }
        return account
    }

    func updateMe(_ request: AccountsUpdateMeRequest, _ call: Call) async throws -> AccountsAccount {
        let store = AccountsStore(call)
        guard var account = try await store.account(call.principal) else { throw AccountsError.noAccount() }
        try Profile.apply(request, to: &account)
        try await store.update(account)
        return account
    }

    func getUser(_ request: AccountsGetUserRequest, _ call: Call) async throws -> AccountsUser {
        guard let account = try await AccountsStore(call).merged(request.userID) else { throw AccountsError.noUser() }
        return .with {
            $0.id = account.id
            $0.nickname = account.nickname
            $0.bio = account.bio
        }
    }

    func listSessions(_ request: AccountsListSessionsRequest, _ call: Call) async throws -> AccountsSessionList {
        let sessions = try await SessionStore(call).sessions(
            of: call.principal, at: host.now, configuration.limits)
        return .with {
            $0.items = sessions.map { session in
                .with {
                    $0.id = session.id
                    $0.current = session.id == call.context.session
                    $0.createdAt = session.chain.createdAt
                    $0.usedAt = session.chain.usedAt
                }
            }
        }
    }

    func revokeSession(
        _ request: AccountsRevokeSessionRequest, _ call: Call
    ) async throws -> AccountsRevokeSessionResponse {
        let response = AccountsRevokeSessionResponse()
        try await SessionStore(call).end(
            request.sessionID, of: call.principal, at: host.now, cause: "revoked", orElse: AccountsError.noSession(),
            answer: response)
        return response
    }

    func handle(_ request: HTTPRequest, _ call: Call) async throws -> HTTPResponse {
        guard request.route == "/.well-known/jwks.json" else { return try await oauth(request, call) }
        return try await KeySet.response(call)
    }

    /// The identity that an address and a password prove. What was counted for the attempt is taken back where it is not
    /// decided.
    func verify(
        _ email: EmailAddress, _ password: String, undoing identifier: [UInt8], _ attempts: SignInAttempts, _ call: Call
    ) async throws -> String {
        do {
            return try await AuthProviderClient(call, feature: "accounts.password").verify(
                .with {
                    $0.identifier = email.text
                    $0.secret = password
                }
            ).subject
        } catch let error as PluginError where error.code == .unauthenticated || error.code == .invalidArgument {
            throw AccountsError.refused()
        } catch {
            try await attempts.undo(identifier)
            throw error
        }
    }
}
