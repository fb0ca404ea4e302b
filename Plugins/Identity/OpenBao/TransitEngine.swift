// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// The transit engine, on behalf of one call (https://openbao.org/api-docs/secret/transit/).
struct TransitEngine {
    private let server: BaoServer
    private let call: Call

    init(_ server: BaoServer, _ call: Call) {
        self.server = server
        self.call = call
    }

    /// A key as the server describes it.
    struct Key {
        var current: Int64
        /// That still decrypt, oldest first.
        var versions: [Int64]
    }

    /// Kinds that authenticate what is given beside the plaintext.
    private static let kinds: Set = ["aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305"]

    func describe() async throws -> Key {
        let data = try await ask("GET", "keys")
        guard let kind = data["type"]?.string, Self.kinds.contains(kind) else {
            throw OpenBaoError.noKey("it is of a kind that authenticates no associated data; make one of aes256-gcm96")
        }
        guard data["derived"] != .bool(true) else {
            throw OpenBaoError.noKey("it is derived by a context; make one that is not")
        }
        guard let current = data["latest_version"]?.integer, let versions = data["keys"]?.object else {
            throw OpenBaoError.noKey("the server does not say its versions")
        }
        let oldest = data["min_decryption_version"]?.integer ?? 1
        return Key(current: current, versions: versions.keys.compactMap { Int64($0) }.filter { $0 >= oldest }.sorted())
    }

    func encrypt(_ plaintext: Data, _ associated: Data) async throws -> KeySourceWrapResponse {
        let data = try await ask(
            "POST", "encrypt", ["plaintext": .string(plaintext.base64EncodedString())], associated)
        guard let text = data["ciphertext"]?.string, let version = Self.version(of: text) else {
            throw OpenBaoError.noKey("the server answers no ciphertext")
        }
        return .with {
            $0.wrapped = Data(text.utf8)
            $0.version = version
        }
    }

    func decrypt(_ wrapped: Data, _ associated: Data) async throws -> Data {
        guard let text = String(validating: wrapped, as: UTF8.self), Self.version(of: text) != nil else {
            throw OpenBaoError.tampered
        }
        let data = try await ask("POST", "decrypt", ["ciphertext": .string(text)], associated)
        guard let plaintext = data["plaintext"]?.string.flatMap({ Data(base64Encoded: $0) }) else {
            throw OpenBaoError.noKey("the server answers no plaintext")
        }
        return plaintext
    }

    /// The version in `vault:v3:…`.
    static func version(of ciphertext: String) -> String? {
        let parts = ciphertext.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].hasPrefix("v"), let version = UInt32(parts[1].dropFirst()) else { return nil }
        return String(version)
    }

    private func ask(
        _ method: String, _ action: String, _ body: [String: JSONValue]? = nil, _ associated: Data = Data()
    ) async throws -> JSONValue {
        var body = body
        if !associated.isEmpty { body?["associated_data"] = .string(associated.base64EncodedString()) }
        let configuration = server.configuration
        let path = "\(configuration.transitMount)/\(action)/\(configuration.transitKey)"
        do { return try await server.data(method, path, body, call) } catch let fault as BaoFault {
            if case .rejected(let what) = fault, action == "decrypt" { throw Self.undecrypted(what) }
            throw OpenBaoError.failure(fault, of: .transit)
        }
    }

    /// Why a ciphertext was rejected: the status is the same for all.
    private static func undecrypted(_ what: String) -> PluginError {
        if what.contains("disallowed by policy") || what.contains("too old") { return OpenBaoError.unknownVersion }
        if what.contains("key not found") { return OpenBaoError.noKey("there is no such key") }
        return OpenBaoError.tampered
    }
}
