// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Password
@testable import SQLite

/// The plugin as its callers see it, over the real database.
struct PasswordPluginTests {
    static let fast = #"{"memory_kib": 64, "iterations": 1}"#
    let host = TestHost()
    let probe: PluginHost

    init() async throws {
        Self.serveKeys(host)
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("password.storage", to: "sqlite", capability: "theatre.sql.v1.Database")
        probe = try await TableProbe.install(host, as: "password", storage: "password.storage")
        try await install(Self.fast)
        host.route("auth", to: "password")
    }

    /// MACs by a key of the test's own.
    static func serveKeys(_ host: TestHost) {
        host.serve("theatre.host.v1.Keys/Mac") { (request: HostMacRequest, _) in
            HostMacResponse.with {
                $0.mac = Data(Digest.hmacSHA256(key: Array(request.key.utf8), Array(request.data)))
                $0.keyID = "v1"
            }
        }
    }

    private func install(_ configuration: String, generation: UInt32 = 1) async throws {
        try await host.install(
            Password.self, manifest: .plugin("Identity/Password"), instance: "password", configuration: configuration,
            generation: generation)
    }

    private func client(_ tenant: String = "t1") -> AuthProviderClient {
        AuthProviderClient(host.scope(tenant: tenant), feature: "auth")
    }

    private func enroll(
        _ identifier: String, _ secret: String, replace: Bool = false, tenant: String = "t1"
    ) async throws -> String {
        try await client(tenant).enroll(
            .with {
                $0.identifier = identifier
                $0.secret = secret
                $0.replace = replace
            }
        ).subject
    }

    private func verify(_ identifier: String, _ secret: String, tenant: String = "t1") async throws
        -> AuthVerifyResponse
    {
        try await client(tenant).verify(
            .with {
                $0.identifier = identifier
                $0.secret = secret
            })
    }

    /// Of the one credential there is.
    private func storedHash() async throws -> String? {
        let rows = try await Database(probe, feature: "password.storage").read(
            "/* tenants: all */ SELECT hash FROM {credentials}")
        #expect(rows.count == 1)
        return try rows.first?.text("hash")
    }

    /// What rows are found by.
    private func identifiers() async throws -> [String] {
        try await Database(probe, feature: "password.storage").read(
            "/* tenants: all */ SELECT identifier FROM {credentials} ORDER BY created_at, subject"
        ).map { try $0.text("identifier") }
    }

    /// No address stands in the table, and those from before are hidden by the next activation.
    @Test func addressesAreStoredAsWhatStandsForThem() async throws {
        let subjects = [
            try await enroll("li@example.org", "a good password"),
            try await enroll("bo@example.org", "a good password"),
        ]
        let hidden = try await identifiers()
        #expect(hidden.count == 2 && hidden.allSatisfy { $0.hasPrefix("mac:") })
        try await Database(probe, feature: "password.storage").commit {
            for (subject, address) in zip(subjects, ["li@example.org", "bo@example.org"]) {
                $0.run(
                    "/* tenants: all */ UPDATE {credentials} SET identifier = ?2 WHERE subject = ?1", expect: 1,
                    subject, address)
            }
        }
        try await install(Self.fast, generation: 2)
        #expect(try await identifiers() == hidden)
        #expect(try await verify("li@example.org", "a good password").subject == subjects[0])
        #expect(host.violations.isEmpty)
    }

    /// A host of before may have enrolled the address again: the row that is found stays, and no address is left.
    @Test func anAddressThatIsHiddenAlreadyDoesNotStopTheOthers() async throws {
        let subject = try await enroll("li@example.org", "a good password")
        let other = try await enroll("bo@example.org", "a good password")
        let hidden = try await identifiers()
        try await Database(probe, feature: "password.storage").commit {
            $0.run(
                "/* tenants: all */ UPDATE {credentials} SET identifier = 'bo@example.org' WHERE subject = ?1",
                expect: 1, other)
            $0.run(
                """
                /* tenants: all */ INSERT INTO {credentials} (tenant, identifier, subject, hash, created_at, updated_at)
                VALUES ('t1', 'li@example.org', 'pwd_late', '', 0, 0)
                """, expect: 1)
        }
        try await install(Self.fast, generation: 2)
        #expect(try await identifiers() == hidden)
        #expect(try await verify("li@example.org", "a good password").subject == subject)
        #expect(try await verify("bo@example.org", "a good password").subject == other)
    }

    @Test func whatWasEnrolledVerifiesInItsTenantOnly() async throws {
        let subject = try await enroll("Li@Example.org", "州桥夜市的灯火三更未歇")
        #expect(subject.hasPrefix("pwd_"))
        let verified = try await verify(" li@example.ORG", "州桥夜市的灯火三更未歇")
        #expect(verified.subject == subject && verified.claims["email"] == "li@example.org")
        let error = await #expect(throws: PluginError.self) {
            try await verify("li@example.org", "州桥夜市的灯火三更未歇", tenant: "t2")
        }
        #expect(error?.reason == "auth.refused")
    }

    @Test func everyWrongProofIsRefusedAlike() async throws {
        _ = try await enroll("li@example.org", "a good password")
        let attempts = [
            ("li@example.org", "a wrong password"), ("unknown@example.org", "a good password"), ("nonsense", "x"),
            ("li@example.org", ""), ("li@example.org", String(repeating: "x", count: 5000)),
        ]
        var errors: Set<PluginError> = []
        for (identifier, secret) in attempts {
            let error = await #expect(throws: PluginError.self) { try await verify(identifier, secret) }
            if let error { errors.insert(error) }
        }
        #expect(errors.count == 1)
        #expect(errors.first?.code == .unauthenticated && errors.first?.reason == "auth.refused")
    }

    @Test func enrollingTwiceNeedsReplaceAndKeepsTheSubject() async throws {
        let subject = try await enroll("li@example.org", "the first password")
        let error = await #expect(throws: PluginError.self) {
            try await enroll("li@example.org", "the second password")
        }
        #expect(error?.code == .alreadyExists && error?.reason == "auth.exists")
        #expect(try await enroll("LI@example.org", "the second password", replace: true) == subject)
        #expect(try await verify("li@example.org", "the second password").subject == subject)
        await #expect(throws: PluginError.self) { try await verify("li@example.org", "the first password") }
    }

    @Test func whatWasRemovedIsUnknown() async throws {
        let subject = try await enroll("li@example.org", "a good password")
        _ = try await client().remove(.with { $0.subject = subject })
        await #expect(throws: PluginError.self) { try await verify("li@example.org", "a good password") }
        #expect(try await enroll("li@example.org", "a good password") != subject)
    }

    @Test func aBadAddressAndAWeakPasswordPointAtTheirFields() async throws {
        let address = await #expect(throws: PluginError.self) { try await enroll("li", "a good password") }
        #expect(address?.reason == "auth.bad_identifier" && address?.detail == "/identifier")
        let weak = await #expect(throws: PluginError.self) { try await enroll("li@example.org", "password123") }
        #expect(weak?.reason == "auth.weak_secret" && weak?.detail == "/secret")
    }

    @Test func onlyHashesAreStoredAndTheyGrowWithTheCost() async throws {
        _ = try await enroll("li@example.org", "a good password")
        let before = try #require(try await storedHash())
        #expect(before.hasPrefix("$argon2id$v=19$m=64,t=1,p=1$"))
        try await install(#"{"memory_kib": 128, "iterations": 2}"#, generation: 2)
        await #expect(throws: PluginError.self) { try await verify("li@example.org", "a wrong password") }
        #expect(try await storedHash() == before)
        _ = try await verify("li@example.org", "a good password")
        let after = try #require(try await storedHash())
        #expect(after.hasPrefix("$argon2id$v=19$m=128,t=2,p=1$"))
        _ = try await verify("li@example.org", "a good password")
        #expect(try await storedHash() == after)
    }

    @Test func aWeakCostIsForDevelopmentOnly() async throws {
        let production = TestHost(environment: .with { $0.development = false })
        let error = await #expect(throws: PluginError.self) {
            try await production.install(
                Password.self, manifest: .plugin("Identity/Password"), instance: "password", configuration: Self.fast)
        }
        #expect(error?.reason == "auth.weak_cost" && error?.detail == "/memory_kib")
    }

    @Test func manyAtOnceAllGetAnAnswer() async throws {
        _ = try await enroll("li@example.org", "a good password")
        let subjects = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<32 { group.addTask { try await verify("li@example.org", "a good password").subject } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(subjects.count == 1)
        #expect(host.violations.isEmpty)
    }
}
