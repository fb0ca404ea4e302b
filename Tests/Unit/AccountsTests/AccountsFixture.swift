// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Accounts
@testable import Password
@testable import SQLite

/// Accounts over the real password provider and the real database, with keys of the test's own.
struct AccountsFixture {
    static let good = "a good password"
    let host = TestHost()
    let versions = TestKeys([
        "session": ["old", "new"], "receipt": ["receipt-1"], "refresh": ["1"], "mfa": ["1"], "index": ["1"],
    ])
    let personal: TestPersonalKeys
    let probe: PluginHost

    init(_ configuration: String = "{}") async throws {
        personal = host.servePersonalData()
        host.serve(versions)
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("password.storage", to: "sqlite")
        host.route("accounts.storage", to: "sqlite")
        host.route("log", to: "sqlite", capability: "theatre.events.v1.Log")
        try await host.install(
            Password.self, manifest: .plugin("Identity/Password"), instance: "password",
            configuration: #"{"memory_kib": 64, "iterations": 1}"#)
        host.route("accounts.password", to: "password")
        probe = try await TableProbe.install(host, as: "accounts", storage: "accounts.storage")
        try await host.install(
            Accounts.self, manifest: .plugin("Identity/Accounts"), instance: "accounts", configuration: configuration)
        host.route("accounts", to: "accounts")
    }

    func client(principal: String = "", session: String = "", tenant: String = "default") -> AccountsClient {
        let scope = host.scope(principal: principal, tenant: tenant) { context in
            context.session = session
            context.route = "POST /api/v1/auth"
            context.requestID = "req_\(ULID.next(at: host.now))"
            context.audit = "change"
            context.publishes = "account,session"
        }
        return AccountsClient(scope, feature: "accounts")
    }

    func register(_ email: String = "li@example.org", _ password: String = good) async throws -> AccountsSession {
        try await client().register(
            .with {
                $0.email = email
                $0.password = password
            })
    }

    func login(_ email: String = "li@example.org", _ password: String = good) async throws -> AccountsSession {
        try await client().login(
            .with {
                $0.email = email
                $0.password = password
            })
    }

    func refresh(_ token: String) async throws -> AccountsSession {
        try await client().refresh(.with { $0.refreshToken = token })
    }

    /// The error a call fails with.
    func failure(_ body: () async throws -> some Any) async -> PluginError? {
        await #expect(throws: PluginError.self) { _ = try await body() }
    }

    func events(_ type: String) async throws -> [EventsEvent] {
        try await EventsLogClient(host.scope(), feature: "log").read(.with { $0.limit = 100 }).events
            .filter { $0.type == type }
    }

    /// Reads the plugin's own tables.
    func rows(_ sql: String) async throws -> Rows {
        try await Database(probe, feature: "accounts.storage").read(sql)
    }

    /// Changes the plugin's own tables; the probe has no tenant, so a statement is for all. `expect` as in a batch.
    func change(_ sql: String, expect: UInt32? = nil) async throws {
        try await Database(probe, feature: "accounts.storage").commit { $0.run(sql, expect: expect) }
    }

    /// A part of a token, decoded.
    func part(_ index: Int, of token: String) throws -> [String: String] {
        let parts = token.split(separator: ".")
        try #require(parts.count == 3)
        var text = parts[index].replacing("-", with: "+").replacing("_", with: "/")
        text += String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        let data = try #require(Data(base64Encoded: String(text)))
        return try JSONDecoder().decode([String: AnyText].self, from: data).mapValues(\.text)
    }

    /// The session a token belongs to.
    func session(of response: AccountsSession) throws -> String { try part(1, of: response.accessToken)["sid"] ?? "" }

    /// Any JSON value a token has, as text.
    private struct AnyText: Decodable {
        var text: String

        init(from decoder: any Swift.Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let string = try? container.decode(String.self) {
                text = string
            } else if let number = try? container.decode(Int64.self) {
                text = String(number)
            } else {
                text = try container.decode([String].self).joined(separator: ",")
            }
        }
    }
}
