// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Keys of persons' programs, and services of the tenant.
extension Accounts: AccountsCredentialsContract, AccountsKeysContract {
    /// Longest life of a key, in milliseconds: a year.
    static let keyMilliseconds: Int64 = 366 * 86_400_000

    func createKey(_ request: AccountsCreateKeyRequest, _ call: Call) async throws -> AccountsApiKey {
        // What a key may do is said once: it makes no keys that may more.
        guard !call.context.session.hasPrefix("key_") else { throw AccountsError.byKey() }
        guard Profile.isTitle(request.name) else { throw AccountsError.keyName() }
        guard let scopes = Scopes.checked(request.scopes) else { throw AccountsError.scopes() }
        let now = host.now
        guard request.expiresAt > now, request.expiresAt <= now + Self.keyMilliseconds else {
            throw AccountsError.expiry()
        }
        var key = AccountsApiKey.with {
            $0.id = ULID.next(prefix: "key", at: now)
            $0.name = request.name
            $0.scopes = scopes
            $0.createdAt = now
            $0.expiresAt = request.expiresAt
        }
        let text = KeyStore.prefix + RefreshToken.random().text
        try await KeyStore(call).add(key, of: call.principal, hash: KeyStore.hash(text))
        key.key = text
        return key
    }

    func listKeys(_ request: AccountsListKeysRequest, _ call: Call) async throws -> AccountsApiKeyList {
        let keys = try await KeyStore(call).keys(of: call.principal, at: host.now)
        return .with { $0.items = keys }
    }

    func revokeKey(_ request: AccountsRevokeKeyRequest, _ call: Call) async throws -> AccountsRevokeKeyResponse {
        let response = AccountsRevokeKeyResponse()
        try await KeyStore(call).end(request.keyID, of: call.principal, at: host.now, answer: response)
        return response
    }

    func resolveKey(_ request: AccountsResolveKeyRequest, _ call: Call) async throws -> AccountsKeyHolder {
        guard request.key.hasPrefix(KeyStore.prefix),
            var holder = try await KeyStore(call).holder(KeyStore.hash(request.key), at: host.now)
        else { throw AccountsError.keyRefused() }
        holder.roles = configuration.roles(of: holder.principal)
        holder.tenant = call.tenant.isEmpty ? "default" : call.tenant
        return holder
    }

    func createClient(_ request: AccountsCreateClientRequest, _ call: Call) async throws -> AccountsServiceClient {
        guard !call.context.session.hasPrefix("key_") else { throw AccountsError.byKey() }
        guard Self.isClientName(request.name) else { throw AccountsError.clientName() }
        guard let scopes = Scopes.checked(request.scopes) else { throw AccountsError.scopes() }
        let now = host.now
        var client = AccountsServiceClient.with {
            $0.clientID = "svc:\(request.name)"
            $0.scopes = scopes
            $0.createdAt = now
        }
        let secret = ClientStore.prefix + RefreshToken.random().text
        try await ClientStore(call).add(
            client, session: ULID.next(prefix: "cli", at: now), hash: ClientStore.hash(secret))
        client.clientSecret = secret
        return client
    }

    func listClients(_ request: AccountsListClientsRequest, _ call: Call) async throws -> AccountsServiceClientList {
        let clients = try await ClientStore(call).clients()
        return .with { $0.items = clients }
    }

    func revokeClient(_ request: AccountsRevokeClientRequest, _ call: Call) async throws
        -> AccountsRevokeClientResponse
    {
        let response = AccountsRevokeClientResponse()
        try await ClientStore(call).end(request.clientID, at: host.now, answer: response)
        return response
    }

    private static func isClientName(_ name: String) -> Bool {
        (1...40).contains(name.utf8.count) && !name.hasPrefix("-")
            && name.utf8.allSatisfy {
                switch $0 {
                case 0x61...0x7A, 0x30...0x39, 0x2D: true
                default: false
                }
            }
    }
}
