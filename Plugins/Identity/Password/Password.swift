// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import Glibc
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin

/// Credentials of e-mail address and password, hashed with Argon2id.
struct Password: Plugin, AuthProviderContract {
    static var operations: [Operation<Password>] { authProviderOperations }

    private let host: PluginHost
    private let configuration: PasswordConfiguration
    private let running = Running()

    init(_ host: PluginHost, _ configuration: PasswordConfiguration) throws {
        guard host.environment.development || configuration.cost.meetsMinimum else {
            throw PasswordError.weakCost(configuration.cost)
        }
        self.host = host
        self.configuration = configuration
    }

    func activate() async throws {
        try await PasswordStore(host).migrate()
        let threads = try HashingThreads(
            threads: configuration.threads(cores: sysconf(Int32(_SC_NPROCESSORS_ONLN))), waiting: configuration.queue)
        running.set(.init(threads: threads, dummy: try Argon2id.decoy(configuration.cost)))
    }

    /// A hash must verify its own password and no other; a cheap one shows it as well as a dear one.
    func selfTest() async throws {
        let holds = try await running.get().threads.run {
            let hash = try Argon2id.hash("a password", .cheapest)
            return try Argon2id.verify("a password", hash) && !Argon2id.verify("another", hash)
        }
        guard holds else { throw PasswordError.hashing("a hash does not verify; install libargon2 again") }
    }

    func deactivate() async { running.take()?.threads.close() }

    func verify(_ request: AuthVerifyRequest, _ call: Call) async throws -> AuthVerifyResponse {
        let running = try running.get()
        let store = PasswordStore(call)
        let identifier = EmailAddress(request.identifier)
        var credential: PasswordStore.Credential?
        if let identifier { credential = try await store.find(identifier, tenant: call.tenant) }
        // The same work for an unknown address, and for a secret that cannot be any.
        let holds = try await OneVerification.holds(
            request.secret, for: credential?.hash, decoy: running.dummy
        ) { secret, hash in try await running.threads.run { try Argon2id.verify(secret, hash) } }
        guard holds, let credential, let identifier else { throw PasswordError.refused() }
        if Argon2Cost(phc: credential.hash)?.isBelow(configuration.cost) ?? true {
            try await strengthen(credential, request.secret, store, running)
        }
        return .with {
            $0.subject = credential.subject
            $0.claims = ["email": identifier.text, "email_verified": "false"]
        }
    }

    func enroll(_ request: AuthEnrollRequest, _ call: Call) async throws -> AuthEnrollResponse {
        let running = try running.get()
        let store = PasswordStore(call)
        guard let identifier = EmailAddress(request.identifier) else { throw PasswordError.identifier() }
        try PasswordPolicy.check(request.secret, for: identifier)
        if !request.replace, try await store.find(identifier, tenant: call.tenant) != nil {
            throw PasswordError.exists()
        }
        let cost = configuration.cost
        let hash = try await running.threads.run { try Argon2id.hash(request.secret, cost) }
        let subject = try await store.put(
            identifier, tenant: call.tenant, hash: hash, replace: request.replace, at: host.now)
        return .with { $0.subject = subject }
    }

    func remove(_ request: AuthRemoveRequest, _ call: Call) async throws -> AuthRemoveResponse {
        try await PasswordStore(call).remove(subject: request.subject)
        return AuthRemoveResponse()
    }

    /// A sign-in does not fail because its hash could not be made stronger: the next one tries again.
    private func strengthen(
        _ credential: PasswordStore.Credential, _ secret: String, _ store: PasswordStore, _ running: Running.State
    ) async throws {
        let cost = configuration.cost
        do {
            let hash = try await running.threads.run { try Argon2id.hash(secret, cost) }
            try await store.strengthen(credential, hash: hash, at: host.now)
        } catch let error as PluginError {
            host.log.warning("a hash was not strengthened", ["error.reason": error.reason])
        }
    }
}

/// What lives between activation and the end.
final class Running: Sendable {
    struct State: Sendable {
        let threads: HashingThreads
        let dummy: String
    }

    private let state = Mutex<State?>(nil)

    func set(_ new: State) { state.withLock { $0 = new } }

    func take() -> State? {
        state.withLock { state in
            defer { state = nil }
            return state
        }
    }

    func get() throws -> State {
        guard let state = state.withLock({ $0 }) else { throw PasswordError.closed() }
        return state
    }
}
