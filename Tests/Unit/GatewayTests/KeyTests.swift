// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Gateway
@testable import Runtime

/// Keys of programs: asked for once, kept for a minute, good for exactly what they say.
struct KeyTests {
    private let calls = FakeCalls()
    private let clock = Clock()
    private let bench: Bench

    final class Clock: Sendable {
        private let value = Mutex<Int64>(1_000_000)
        var now: Int64 { value.withLock { $0 } }
        func advance(_ milliseconds: Int64) { value.withLock { $0 += milliseconds } }
    }

    init() throws {
        calls.serve("test.Echo/Echo") { .success($0.payload) }
        calls.serve("theatre.accounts.v1.Keys/ResolveKey") { call in
            guard let asked = try? AccountsResolveKeyRequest(serializedBytes: call.payload), asked.key != "thk_none"
            else {
                return .failure(CallError(.unauthenticated, "accounts.key_refused", "No."))
            }
            guard asked.key != "thk_down" else {
                return .failure(CallError(.unavailable, "sql.unavailable", "The database is away."))
            }
            return .success(
                FakeCalls.wire(
                    AccountsKeyHolder.with {
                        $0.principal = "usr_1"
                        $0.keyID = "key_1"
                        $0.scopes = [asked.key == "thk_good" ? "echo:echo" : "other:echo"]
                        $0.expiresAt = 1_090_000
                        $0.roles = ["user"]
                        $0.tenant = "default"
                    }))
        }
        var services = GatewayServices()
        let clock = clock
        services.now = { clock.now }
        bench = try Bench(
            calls, [.echo("GET", "/echo", on: calls, access: "user")], services: services, keys: "accounts")
    }

    private func ask(_ key: String) throws -> String {
        try bench.send(request("GET", "/echo", ["Authorization: Bearer \(key)"]))
    }

    private var asked: Int { calls.calls.count { $0.operation == "theatre.accounts.v1.Keys/ResolveKey" } }

    @Test func aKeyIsAskedForOnceAMinuteAndSpeaksForItsPerson() throws {
        for _ in 0..<3 { #expect(try ask("thk_good").hasPrefix("HTTP/1.1 200 ")) }
        #expect(asked == 1)
        let context = try #require(calls.calls.last?.context.message)
        #expect(context.principal == "usr_1" && context.session == "key_1" && context.principalKind == .user)
        clock.advance(60_000)
        #expect(try ask("thk_good").hasPrefix("HTTP/1.1 200 ") && asked == 2)
    }

    @Test func aKeyIsGoodForExactlyItsScopes() throws {
        let answer = try ask("thk_other")
        #expect(answer.hasPrefix("HTTP/1.1 403 ") && answer.contains("auth.scope"))
        #expect(answer.lowercased().contains("insufficient_scope"))
        #expect(!calls.calls.contains { $0.operation == "test.Echo/Echo" })
    }

    @Test func anExplanationIsWithinScopesToo() throws {
        let answer = try bench.send(
            request("GET", "/api/v1/authz/explain?path=/echo", ["Authorization: Bearer thk_good"]))
        #expect(answer.hasPrefix("HTTP/1.1 403 ") && answer.contains("auth.scope"), "\(answer)")
    }

    @Test func aKeyThatWasRevokedIsRefusedAtOnceAlsoWhereItIsKept() throws {
        _ = try ask("thk_good")
        bench.core.revocations.revoke("key_1", at: 0)
        let answer = try ask("thk_good")
        #expect(answer.hasPrefix("HTTP/1.1 401 ") && answer.contains("auth.revoked"))
    }

    @Test func whatIsNoKeyIsRefusedAndADatabaseThatIsAwayIsNoRefusal() throws {
        let none = try ask("thk_none")
        #expect(none.hasPrefix("HTTP/1.1 401 ") && none.contains("auth.key_refused"))
        #expect(try ask("thk_down").hasPrefix("HTTP/1.1 503 "))
        let bare = try Bench(calls, [.echo("GET", "/echo", on: calls, access: "user")])
        #expect(try bare.send(request("GET", "/echo", ["Authorization: Bearer thk_good"])).contains("auth.no_keys"))
    }

    @Test(
        arguments: [
            (nil, true), (["*"], true), (["echo:*"], true), (["echo:read"], true), (["echo:write"], false), ([], false),
            (["ech:read", "echo", "echo:rea", "echo:read:more"], false),
        ] as [([String]?, Bool)]) func aScopeNamesResourceAndAction(_ scopes: [String]?, _ may: Bool)
    {
        let principal = Principal(id: "usr_1", kind: .user, expiresAt: .max, scopes: scopes)
        #expect(principal.permits("echo", "read") == may)
    }
}
