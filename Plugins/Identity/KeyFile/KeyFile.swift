// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Wraps data keys by a master key that the host reads from a file or a variable of its environment.
///
/// The keyring is leased for each call and not kept: a version that was added counts at the next.
struct KeyFile: Plugin, KeySourceSourceContract {
    static var operations: [Operation<KeyFile>] { keySourceSourceOperations }

    private let host: PluginHost

    init(_ host: PluginHost, _ configuration: KeyFileConfiguration) throws { self.host = host }

    /// A keyring that is missing or is no random key is found at the start, not when the first secret is stored.
    func selfTest() async throws { _ = try await keyring(host) }

    func describe(_ request: KeySourceDescribeRequest, _ call: Call) async throws -> KeySourceDescribeResponse {
        let ring = try await keyring(call)
        return .with {
            $0.currentVersion = String(ring.current)
            $0.versions = ring.versions.map(String.init)
        }
    }

    func wrap(_ request: KeySourceWrapRequest, _ call: Call) async throws -> KeySourceWrapResponse {
        try await wrap(request.plaintext, request.associatedData, keyring(call))
    }

    func unwrap(_ request: KeySourceUnwrapRequest, _ call: Call) async throws -> KeySourceUnwrapResponse {
        let plaintext = try await keyring(call).unwrap(request.wrapped, request.associatedData)
        return .with { $0.plaintext = plaintext }
    }

    func rewrap(_ request: KeySourceRewrapRequest, _ call: Call) async throws -> KeySourceWrapResponse {
        let ring = try await keyring(call)
        let plaintext = try ring.unwrap(request.wrapped, request.associatedData)
        return try wrap(plaintext, request.associatedData, ring)
    }

    private func wrap(_ plaintext: Data, _ associated: Data, _ ring: Keyring) throws -> KeySourceWrapResponse {
        let wrapped = try ring.wrap(plaintext, associated)
        return .with {
            $0.wrapped = wrapped
            $0.version = String(ring.current)
        }
    }

    private func keyring(_ scope: some CallScope) async throws -> Keyring {
        let value = try await HostSecretsClient(scope).lease(.with { $0.name = "keyring" }).value
        guard let text = String(validating: value, as: UTF8.self) else {
            throw KeyFileError.badKeyring("it is no text")
        }
        return try Keyring(text)
    }
}
