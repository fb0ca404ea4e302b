// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import EmulatedHost
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import PhoneOTP
@testable import SQLite

/// The plugin over the real database, with a channel that keeps what it is given.
struct EmulatedTelephone {
    static let classes = """
        [{"name": "cn", "prefixes": ["86"], "price": 50, "per_hour": 500, "region": "CN"},
        {"name": "hk", "prefixes": ["852"], "price": 400, "per_hour": 3},
        {"name": "dear", "prefixes": ["8529"], "price": 1000, "per_hour": 50}]
        """
    let host = TestHost()
    let sent = Sent()
    let probe: PluginHost
    let keys = TestKeys(["codes": ["1"], "index": ["1"]])
    private let configuration: String

    /// What the channel was given, and what it fails with.
    final class Sent: Sendable {
        private let state = Mutex((requests: [NotificationSendRequest](), failures: [PluginError]()))

        var requests: [NotificationSendRequest] { state.withLock { $0.requests } }
        func fail(_ error: PluginError) { state.withLock { $0.failures.append(error) } }
        var codes: [String] { requests.compactMap(Self.code) }

        func take(_ request: NotificationSendRequest) throws {
            try state.withLock { state in
                if !state.failures.isEmpty { throw state.failures.removeFirst() }
                state.requests.append(request)
            }
        }

        /// The figures after `"code":"`.
        private static func code(_ request: NotificationSendRequest) -> String? {
            request.data.firstMatch(of: #/"code":"([0-9]+)"/#).map { String($0.1) }
        }
    }

    init(_ settings: String = "", classes: String = classes) async throws {
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("phoneotp.storage", to: "sqlite", capability: "theatre.sql.v1.Database")
        probe = try await TableProbe.install(host, as: "phone", storage: "phoneotp.storage")
        host.serve(keys)
        let sent = sent
        host.fake("phoneotp.channel", "Send") { (request: NotificationSendRequest, _) -> NotificationDelivery in
            try sent.take(request)
            return NotificationDelivery()
        }
        configuration = #"{"country": "86", "classes": \#(classes)\#(settings)}"#
        try await install(generation: 1)
        host.route("auth", to: "phone")
    }

    func install(generation: UInt32) async throws {
        try await host.install(
            PhoneOTP.self, manifest: .plugin("Identity/PhoneOTP"), instance: "phone", configuration: configuration,
            generation: generation)
    }

    /// - Parameter network: that the host saw the request come from.
    func client(_ tenant: String = "t1", network: String = "") -> AuthProviderClient {
        AuthProviderClient(host.scope(tenant: tenant) { $0.network = network }, feature: "auth")
    }

    func start(
        _ number: String, device: String = "", address: String = "", network: String = "", locale: String = "",
        tenant: String = "t1"
    ) async throws -> AuthStartResponse {
        try await client(tenant, network: network).start(
            .with {
                $0.identifier = number
                $0.device = device
                $0.address = address
                $0.locale = locale
            })
    }

    /// What a start failed with.
    func failure(
        _ number: String, device: String = "", address: String = "", network: String = "", tenant: String = "t1"
    ) async -> PluginError? {
        do {
            _ = try await start(number, device: device, address: address, network: network, tenant: tenant)
            return nil
        } catch { return error as? PluginError }
    }
}
