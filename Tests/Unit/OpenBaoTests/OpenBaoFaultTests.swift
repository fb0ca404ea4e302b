// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import FoundationEssentials
import NIOHTTP1
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import OpenBao

/// Answers that a server in memory cannot be made to give, and what becomes of them.
struct OpenBaoFaultTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        var status: Int
        var headers: [(String, String)] = []
        var body = #"{"errors":["a word with s.ecret in it"]}"#
        var isLater: Bool
        var retry = PluginError.Retry.never

        var testDescription: String { "\(status) \(headers.map(\.1)) \(body)" }
    }

    static let faults = [
        Fault(status: 307, headers: [("location", "https://elsewhere/")], isLater: true, retry: .safe),
        Fault(status: 400, isLater: false),
        Fault(status: 403, isLater: false),
        Fault(status: 405, isLater: false),
        Fault(status: 412, isLater: true, retry: .safe),
        Fault(status: 429, headers: [("Retry-After", "7")], isLater: true, retry: .after(milliseconds: 7000)),
        Fault(status: 429, isLater: true, retry: .after(milliseconds: 1000)),
        Fault(status: 472, isLater: true, retry: .safe),
        Fault(status: 473, isLater: true, retry: .safe),
        Fault(status: 500, isLater: true, retry: .safe),
        Fault(status: 501, isLater: true, retry: .safe),
        Fault(status: 502, body: "<html>", isLater: true, retry: .safe),
        Fault(status: 503, body: #"{"errors":["Vault is sealed"]}"#, isLater: true, retry: .safe),
        Fault(status: 200, body: "<html>", isLater: false),
        Fault(status: 200, body: #"{"data": null}"#, isLater: false),
        Fault(status: 200, body: #"{"data": {"data": {"value": "one"}}}"#, isLater: false),
    ]

    @Test(arguments: faults) func aStatusIsAnErrorThatSaysWhetherToTryAgain(_ fault: Fault) async throws {
        let vault = try await Vault("") { _ in EmulatorAnswer(fault.status, fault.headers, fault.body) }
        let key = try #require(await Vault.failure { try await vault.wrap("0123456789abcdef") })
        #expect(key.reason == (fault.isLater ? "keysource.unreachable" : "keysource.no_key"))
        #expect(key.code == (fault.isLater ? .unavailable : .failedPrecondition))
        let secret = try #require(await Vault.failure { try await vault.read("stage/mail") })
        #expect(secret.reason == (fault.isLater ? "secretsource.unreachable" : "secretsource.refused"))
        for error in [key, secret] {
            #expect(error.retry == fault.retry)
            #expect(error.effect == .none)
            #expect(!error.message.contains("s.ecret"))
        }
    }

    @Test func whatBreaksOrTakesTooLongIsUnreachable() async throws {
        let broken = try await Vault("") { _ in EmulatorAnswer(200, parts: [], cutAfter: 0) }
        let error = await Vault.failure { try await broken.read("stage/mail") }
        #expect(error?.reason == "secretsource.unreachable")
        #expect(error?.effect == PluginError.Effect.none)
        let slow = try await Vault(#", "timeout_ms": 500"#) { _ in EmulatorAnswer(200, parts: [], delay: 5000) }
        let late = await Vault.failure { try await slow.wrap("0123456789abcdef") }
        #expect(late?.code == .deadlineExceeded)
        #expect(late?.reason == "keysource.unreachable")
    }

    @Test func anAppRoleSignsInOnceUntilTwoThirdsOfItsTimeAreOver() async throws {
        let logins = Mutex(0)
        let leases = ["role_id": "a-role", "secret_id": "a-secret"]
        let vault = try await Vault(#", "authentication": "approle", "namespace": "team""#, leases: leases) { request in
            guard request.headers.first(name: "x-vault-namespace") == "team",
                request.headers.first(name: "x-vault-request") == "true"
            else {
                return EmulatorAnswer(404, [], "{}")
            }
            guard request.uri == "/v1/auth/approle/login" else {
                guard request.headers.first(name: "x-vault-token") == "s.token\(logins.withLock { $0 })" else {
                    return EmulatorAnswer(403, [], "{}")
                }
                return EmulatorAnswer(
                    200, [], #"{"data": {"data": {"value": "one"}, "metadata": {"version": 4}}}"#)
            }
            #expect(String(decoding: request.body, as: UTF8.self).contains(#""secret_id":"a-secret""#))
            let count = logins.withLock { count in
                count += 1
                return count
            }
            return EmulatorAnswer(
                200, [], #"{"auth": {"client_token": "s.token\#(count)", "lease_duration": 90, "renewable": true}}"#)
        }
        for _ in 0..<3 { #expect(try await vault.read("stage/mail").version == 4) }
        #expect(logins.withLock { $0 } == 1)
        vault.host.advance(milliseconds: 61_000)
        #expect(try await vault.read("stage/mail").version == 4)
        #expect(logins.withLock { $0 } == 2)
    }

    @Test(arguments: [
        ("https://vault.example.org", false, true), ("http://127.0.0.1:8200", true, true),
        ("http://localhost:8200/", true, true), ("http://[::1]:8200", true, true),
        ("http://127.0.0.1:8200", false, false), ("http://vault.example.org", true, false),
        ("http://127.0.0.1.example.org", true, false), ("http://localhost@example.org", true, false),
    ]) func plainHTTPIsForThisMachineInDevelopment(_ address: String, _ development: Bool, _ isFit: Bool) {
        let configuration = OpenBaoConfiguration(
            address: address, namespace: "", authentication: .token, appRoleMount: "approle", transitMount: "transit",
            transitKey: "theatre", kvMount: "secret", timeoutMilliseconds: 5000)
        #expect(isFit == ((try? configuration.check(development: development)) != nil))
    }
}
