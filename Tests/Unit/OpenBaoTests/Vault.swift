// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import EmulatedHost
import Emulators
import FoundationEssentials
import NIOHTTP1
import OpenBaoServer
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import OpenBao

/// The plugin in front of a server or of what a test answers for one, joined as the host's egress joins them.
struct Vault {
    let host = TestHost()

    /// - Parameter leases: by the plugin's names, for AppRole.
    init(
        _ configuration: String, token: String = OpenBaoServer.rootToken, leases: [String: String] = [:],
        _ answer: @escaping @Sendable (EmulatorRequest) -> EmulatorAnswer
    ) async throws {
        host.emulate(["https://vault.example.org:8200"], secrets: ["token": token], answer)
        host.serve("theatre.host.v1.Secrets/Lease") { (request: HostLeaseRequest, _) -> HostLeaseResponse in
            guard let value = leases[request.name] else {
                throw PluginError(.permissionDenied, "secrets.not_granted", "There is no lease.")
            }
            return .with { $0.value = Data(value.utf8) }
        }
        try await host.install(
            OpenBao.self, manifest: .plugin("Identity/OpenBao"), instance: "vault",
            configuration: #"{"address": "https://vault.example.org:8200""# + configuration + "}")
        host.route("keys", to: "vault")
        host.route("secrets", to: "vault")
    }

    /// In front of a real server.
    init(
        _ server: OpenBaoServer, _ configuration: String = "", token: String = OpenBaoServer.rootToken,
        leases: [String: String] = [:]
    ) async throws {
        try await self.init(configuration, token: token, leases: leases) { request in
            let headers = Dictionary(request.headers.map { ($0.name, $0.value) }) { first, _ in first }
                .filter { $0.key != "host" }
            do {
                let answer = try LoopbackHTTP.ask(server.port, request.method, request.uri, headers, request.body)
                return EmulatorAnswer(answer.status, answer.headers, parts: [answer.body])
            } catch {
                return EmulatorAnswer(0, parts: [], cutAfter: 0)
            }
        }
    }

    var keys: KeySourceSourceClient { KeySourceSourceClient(host.scope(), feature: "keys") }
    var secrets: SecretSourceSourceClient { SecretSourceSourceClient(host.scope(), feature: "secrets") }

    func wrap(_ text: String, for place: String = "place") async throws -> KeySourceWrapResponse {
        try await keys.wrap(
            .with {
                $0.plaintext = Data(text.utf8)
                $0.associatedData = Data(place.utf8)
            })
    }

    func unwrap(_ wrapped: Data, for place: String = "place") async throws -> String {
        let answer = try await keys.unwrap(
            .with {
                $0.wrapped = wrapped
                $0.associatedData = Data(place.utf8)
            })
        return String(decoding: answer.plaintext, as: UTF8.self)
    }

    func read(_ path: String, _ field: String = "") async throws -> SecretSourceReadResponse {
        try await secrets.read(
            .with {
                $0.path = path
                $0.field = field
            })
    }

    /// What a call failed with.
    static func failure<Value>(_ body: () async throws -> Value) async -> PluginError? {
        do {
            _ = try await body()
            return nil
        } catch { return error as? PluginError }
    }
}

/// A folder for the length of a test.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = "\(FileManager.default.temporaryDirectory.path)/openbao-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}
