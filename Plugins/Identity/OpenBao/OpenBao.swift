// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// An OpenBao or Vault server: its transit engine holds the master key of stored secrets, its KV version 2 engine secrets
/// of its own.
struct OpenBao: Plugin, KeySourceSourceContract, SecretSourceSourceContract {
    static var operations: [Operation<OpenBao>] { keySourceSourceOperations + secretSourceSourceOperations }

    private let server: BaoServer

    init(_ host: PluginHost, _ configuration: OpenBaoConfiguration) throws {
        try configuration.check(development: host.environment.development)
        server = BaoServer(host, configuration)
    }

    // MARK: the transit engine

    func describe(_ request: KeySourceDescribeRequest, _ call: Call) async throws -> KeySourceDescribeResponse {
        let key = try await TransitEngine(server, call).describe()
        return .with {
            $0.currentVersion = String(key.current)
            $0.versions = key.versions.map(String.init)
        }
    }

    func wrap(_ request: KeySourceWrapRequest, _ call: Call) async throws -> KeySourceWrapResponse {
        guard (1...64).contains(request.plaintext.count) else { throw OpenBaoError.badKey }
        let engine = TransitEngine(server, call)
        // A server may make a key that is not there when it is to encrypt: a slip in its name must not be one.
        _ = try await engine.describe()
        return try await engine.encrypt(request.plaintext, request.associatedData)
    }

    func unwrap(_ request: KeySourceUnwrapRequest, _ call: Call) async throws -> KeySourceUnwrapResponse {
        let plaintext = try await TransitEngine(server, call).decrypt(request.wrapped, request.associatedData)
        return .with { $0.plaintext = plaintext }
    }

    /// Decrypts and encrypts: the server's own rewrap takes no associated data.
    func rewrap(_ request: KeySourceRewrapRequest, _ call: Call) async throws -> KeySourceWrapResponse {
        let engine = TransitEngine(server, call)
        let plaintext = try await engine.decrypt(request.wrapped, request.associatedData)
        return try await engine.encrypt(plaintext, request.associatedData)
    }

    // MARK: the KV engine

    func read(_ request: SecretSourceReadRequest, _ call: Call) async throws -> SecretSourceReadResponse {
        try await KVEngine(server, call).read(request.path, field: request.field.isEmpty ? "value" : request.field)
    }
}
