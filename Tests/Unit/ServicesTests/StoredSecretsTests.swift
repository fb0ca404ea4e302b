// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// `store:NAME`: fetched when it is used, the newest version within a second, refused where its row is not its own.
struct StoredSecretsTests {
    /// A database of one secret and a key source, by hand.
    private final class World: Sendable {
        struct State {
            var row: SecretRow?
            var queries = 0, unwraps = 0
            var isDown = false
            var now: UInt64 = 10_000_000_000
        }
        let state = Mutex(State())
        let calls = FakeCalls()
        let key = SecretEnvelope.newKey()

        func secrets() -> StoredSecrets {
            calls.serve("db", "theatre.sql.v1.Database/Query") { [self] (_: SQLQueryRequest, _) -> SQLRows? in
                let state = state.withLock { state in
                    state.queries += 1
                    return (row: state.row, isDown: state.isDown)
                }
                if state.isDown { throw CallError(.unavailable, "sql.connection_lost", "It is gone.") }
                return .with { $0.rows = state.row.map { [Self.message($0)] } ?? [] }
            }
            calls.serve("keys", "theatre.keysource.v1.Source/Unwrap") {
                [self] (request: KeySourceUnwrapRequest, _) -> KeySourceUnwrapResponse? in
                state.withLock { $0.unwraps += 1 }
                guard request.wrapped == Data("wrapped".utf8) else {
                    throw CallError(.failedPrecondition, "keysource.tampered", "Not mine.")
                }
                return .with { $0.plaintext = key }
            }
            return StoredSecrets(
                beside: FileAndEnvironmentSecrets(folder: "/"), calls, storage: "db", keySource: "keys",
                monotonic: { [self] in state.withLock { $0.now } })
        }

        func put(_ text: String, version: Int64, as name: String = "key") throws {
            let address = SecretAddress(deployment: name)
            let sealed = try SecretEnvelope.seal(Data(text.utf8), key: key, address, version: version)
            let row = SecretRow(
                address, version: version, keyVersion: "1", wrapped: Data("wrapped".utf8), sealed: sealed, createdAt: 1,
                createdBy: "me")
            state.withLock { $0.row = row }
        }

        func pass(_ nanoseconds: UInt64) { state.withLock { $0.now += nanoseconds } }

        private static func message(_ row: SecretRow) -> SQLRow {
            let address = row.address
            let kinds: [SQLValue.OneOf_Kind] = [
                .text(address.tenant), .text(address.project), .text(address.owner), .text(address.name),
                .integer(row.version), .text(row.keyVersion), .blob(row.wrapped), .blob(row.sealed),
                .integer(row.createdAt), .text(row.createdBy), .integer(row.deletedAt),
            ]
            return .with { $0.values = kinds.map { kind in .with { $0.kind = kind } } }
        }
    }

    /// Fetches and answers the value.
    private func use(_ secrets: StoredSecrets, by instance: String = "user") async throws -> String {
        let identity = InstanceIdentity(instance: instance, plugin: "Any", generation: 1, grants: ResolvedGrants())
        let error = await withCheckedContinuation { done in
            secrets.fetch(["store:key"], for: identity, deadline: 0) { done.resume(returning: $0) }
        }
        if let error { throw error }
        return try secrets.seen(by: identity).value(for: "store:key").text()
    }

    private func reason(_ secrets: StoredSecrets, by instance: String = "user") async -> String? {
        do {
            _ = try await use(secrets, by: instance)
            return nil
        } catch {
            return (error as? CallError)?.reason
        }
    }

    @Test func theNewestVersionCountsASecondLater() async throws {
        let world = World()
        let secrets = world.secrets()
        try world.put("first", version: 1)
        #expect(try await use(secrets) == "first")
        try world.put("second", version: 2)
        #expect(try await use(secrets) == "first")
        #expect(world.state.withLock { $0.queries } == 1)
        world.pass(StoredSecrets.freshness)
        #expect(try await use(secrets) == "second")
    }

    @Test func whatDidNotChangeIsNotUnwrappedAgain() async throws {
        let world = World()
        let secrets = world.secrets()
        try world.put("first", version: 1)
        for _ in 0..<5 {
            #expect(try await use(secrets) == "first")
            world.pass(StoredSecrets.freshness)
        }
        #expect(world.state.withLock { [$0.queries, $0.unwraps] } == [5, 1])
    }

    @Test func whatWasDeletedIsForgotten() async throws {
        let world = World()
        let secrets = world.secrets()
        try world.put("first", version: 1)
        #expect(try await use(secrets) == "first")
        world.state.withLock { $0.row?.deletedAt = 5 }
        world.pass(StoredSecrets.freshness)
        #expect(await reason(secrets) == "secrets.missing")
        world.state.withLock { $0.row = nil }
        #expect(await reason(secrets) == "secrets.missing")
        #expect(throws: CallError.self) { try secrets.value(for: "store:key") }
    }

    @Test func aValueOutlivesItsDatabaseForFiveMinutes() async throws {
        let world = World()
        let secrets = world.secrets()
        world.state.withLock { $0.isDown = true }
        #expect(await reason(secrets) == "sql.connection_lost")
        world.state.withLock { $0.isDown = false }
        try world.put("first", version: 1)
        #expect(try await use(secrets) == "first")
        world.state.withLock { $0.isDown = true }
        world.pass(StoredSecrets.staleness - 1)
        #expect(try await use(secrets) == "first")
        world.pass(1)
        #expect(await reason(secrets) == "sql.connection_lost")
    }

    @Test func aRowThatIsNotItsOwnIsRefused() async throws {
        let world = World()
        let secrets = world.secrets()
        // Another secret's row, under this one's name.
        try world.put("another", version: 1, as: "other")
        world.state.withLock { $0.row?.address = SecretAddress(deployment: "key") }
        #expect(await reason(secrets) == "secrets.tampered")
        // An old version, said to be new.
        try world.put("old", version: 1)
        world.state.withLock { $0.row?.version = 2 }
        #expect(await reason(secrets) == "secrets.tampered")
        try world.put("mine", version: 3)
        world.state.withLock { $0.row?.wrapped = Data("anything".utf8) }
        #expect(await reason(secrets) == "keysource.tampered")
    }

    /// Whoever opens secrets cannot wait for one.
    @Test(arguments: ["db", "keys"]) func theStorageAndTheKeySourceHaveNone(_ instance: String) async {
        #expect(await reason(World().secrets(), by: instance) == "secrets.circular")
    }
}
