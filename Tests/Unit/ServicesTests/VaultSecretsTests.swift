// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatreManifest

@testable import Services

/// `vault:INSTANCE/PATH#FIELD`: read when it is used, again a second later, and for five minutes without the vault.
struct VaultSecretsTests {
    private final class World: Sendable {
        struct State {
            var value: String? = "first"
            var failure: CallError?
            var asked: [String] = []
            var now: UInt64 = 10_000_000_000
        }
        let state = Mutex(State())

        func secrets() -> VaultSecrets {
            let calls = FakeCalls()
            calls.serve("vault", "theatre.secretsource.v1.Source/Read") {
                [self] (request: SecretSourceReadRequest, _) -> SecretSourceReadResponse? in
                let state = state.withLock { state in
                    state.asked.append("\(request.path) \(request.field)")
                    return state
                }
                if let failure = state.failure { throw failure }
                guard let value = state.value else {
                    throw CallError(.notFound, "secretsource.missing", "There is none.")
                }
                return .with { $0.value = Data(value.utf8) }
            }
            return VaultSecrets(
                beside: FileAndEnvironmentSecrets(folder: "/"), calls, barred: ["db", "keys"],
                monotonic: { [self] in state.withLock { $0.now } })
        }

        func pass(_ nanoseconds: UInt64) { state.withLock { $0.now += nanoseconds } }
    }

    private func use(
        _ secrets: VaultSecrets, _ source: String = "vault:vault/stage/mail", by instance: String = "user"
    ) async throws -> String {
        let identity = InstanceIdentity(instance: instance, plugin: "Any", generation: 1, grants: ResolvedGrants())
        let error = await withCheckedContinuation { done in
            secrets.fetch([source, "env:PATH"], for: identity, deadline: 0) { done.resume(returning: $0) }
        }
        if let error { throw error }
        #expect(try secrets.seen(by: identity).value(for: "env:PATH").count > 0)
        return try secrets.seen(by: identity).value(for: source).text()
    }

    private func reason(_ secrets: VaultSecrets, by instance: String = "user") async -> String? {
        do {
            _ = try await use(secrets, by: instance)
            return nil
        } catch { return (error as? CallError)?.reason }
    }

    @Test func aValueIsReadAgainASecondLater() async throws {
        let world = World()
        let secrets = world.secrets()
        #expect(try await use(secrets) == "first")
        world.state.withLock { $0.value = "second" }
        #expect(try await use(secrets) == "first")
        world.pass(StoredSecrets.freshness)
        #expect(try await use(secrets) == "second")
        #expect(try await use(secrets, "vault:vault/a#user") == "second")
        #expect(world.state.withLock { $0.asked } == ["stage/mail ", "stage/mail ", "a user"])
    }

    @Test func aValueOutlivesItsVaultForFiveMinutesAndNotItsEnd() async throws {
        let world = World()
        let secrets = world.secrets()
        #expect(try await use(secrets) == "first")
        world.state.withLock { $0.failure = CallError(.unavailable, "secretsource.unreachable", "It is sealed.") }
        world.pass(StoredSecrets.staleness - 1)
        #expect(try await use(secrets) == "first")
        world.pass(1)
        #expect(await reason(secrets) == "secretsource.unreachable")
        world.state.withLock { $0.failure = CallError(.failedPrecondition, "secretsource.refused", "No.") }
        #expect(await reason(secrets) == "secretsource.refused")
        world.state.withLock { $0.failure = nil }
        #expect(try await use(secrets) == "first")
        world.state.withLock { $0.value = nil }
        world.pass(StoredSecrets.freshness)
        #expect(await reason(secrets) == "secrets.missing")
        #expect(throws: CallError.self) { try secrets.value(for: "vault:vault/stage/mail") }
    }

    @Test(arguments: ["db", "keys"]) func whoeverOpensSecretsHasNone(_ instance: String) async {
        #expect(await reason(World().secrets(), by: instance) == "secrets.circular")
    }

    @Test(arguments: [
        ("vault:v/a", "v a "), ("vault:v/a/b#c", "v a/b c"), ("vault:v/a#b#c", "v a b#c"), ("vault:v", nil),
        ("vault:/a", nil), ("vault:v/", nil), ("vault:v//a", nil), ("vault:v/a#", nil), ("vault:v/a b", nil),
        ("env:v/a", nil), ("", nil),
    ]) func aReferenceHasInstancePathAndField(_ text: String, _ expected: String?) {
        #expect(VaultReference(text).map { "\($0.instance) \($0.path) \($0.field)" } == expected)
    }
}
