// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// `theatre.host.v1.PersonalKeys`: a key for each person, and none once it was destroyed.
struct PersonalKeysTests {
    /// A table of keys and a key source, by hand, and hosts over them.
    private final class World: Sendable {
        struct State {
            var rows: [String: [SQLValue.OneOf_Kind]] = [:]
            var queries = 0, unwraps = 0, wraps = 0
            var audited: [String] = []
        }
        let state = Mutex(State())
        let calls = FakeCalls()
        let clock = ManualClock()

        init(keySource: Bool = true) {
            calls.serve("db", "theatre.sql.v1.Database/Query") { [self] (request: SQLQueryRequest, _) -> SQLRows? in
                state.withLock { state in
                    state.queries += 1
                    return .with { $0.rows = Self.found(request.statement.parameters.first?.text ?? "", state) }
                }
            }
            calls.serve("db", "theatre.sql.v1.Database/Commit") {
                [self] (request: SQLCommitRequest, call) -> SQLCommitResponse? in
                state.withLock { state in
                    let values = request.statements[0].parameters.compactMap(\.kind)
                    guard case .text(let person) = values[0] else { return SQLCommitResponse() }
                    if request.statements.count == 2 {
                        state.audited.append("\(call.context.message.audit) \(call.context.message.resource)")
                        let known = state.rows[person]
                        if case .integer(0)? = known?[4] ?? .integer(0) {
                            state.rows[person] = [
                                values[0], .text(""), values[1], known?[3] ?? values[2], values[2],
                            ]
                        }
                        return .with { $0.results = [SQLRows(), .with { $0.rows = Self.found(person, state) }] }
                    }
                    if state.rows[person] == nil { state.rows[person] = values + [.integer(0)] }
                    return .with { $0.results = [SQLRows()] }
                }
            }
            guard keySource else { return }
            calls.serve("keys", "theatre.keysource.v1.Source/Wrap") {
                [self] (request: KeySourceWrapRequest, _) -> KeySourceWrapResponse? in
                state.withLock { $0.wraps += 1 }
                return .with {
                    $0.wrapped = Data(request.plaintext.reversed()) + request.associatedData
                    $0.version = "1"
                }
            }
            calls.serve("keys", "theatre.keysource.v1.Source/Unwrap") {
                [self] (request: KeySourceUnwrapRequest, _) -> KeySourceUnwrapResponse? in
                state.withLock { $0.unwraps += 1 }
                guard request.wrapped.dropFirst(32) == request.associatedData else {
                    throw CallError(.failedPrecondition, "keysource.tampered", "Not of this person.")
                }
                return .with { $0.plaintext = Data(request.wrapped.prefix(32).reversed()) }
            }
        }

        private static func found(_ person: String, _ state: State) -> [SQLRow] {
            guard let row = state.rows[person] else { return [] }
            return [.with { $0.values = row.map { kind in .with { $0.kind = kind } } }]
        }

        /// One more host over the same database.
        func host() -> PersonalKeysService {
            PersonalKeysService(keys: PersonalKeys(calls, storage: "db", keySource: "keys", clock: clock))
        }
    }

    private static var granted: ResolvedGrants {
        var grants = ResolvedGrants()
        grants.personal = true
        return grants
    }

    private func seal(
        _ host: PersonalKeysService, _ text: String, of person: String = "usr_1", grants: ResolvedGrants = granted
    ) async throws -> Data {
        let call = try FakeHostCall(
            HostSealPersonalRequest.with {
                $0.person = person
                $0.values = [Data(text.utf8)]
                $0.associatedData = "accounts"
            }, grants: grants)
        host.serve("Seal", call)
        return try #require(try await call.response(HostSealPersonalResponse.self).sealed.first)
    }

    private func open(
        _ host: PersonalKeysService, _ sealed: Data, of person: String = "usr_1", place: String = "accounts"
    ) async throws -> String {
        let call = try FakeHostCall(
            HostOpenPersonalRequest.with {
                $0.person = person
                $0.sealed = [sealed]
                $0.associatedData = place
            }, grants: Self.granted)
        host.serve("Open", call)
        let value = try #require(try await call.response(HostOpenPersonalResponse.self).values.first)
        return String(decoding: value, as: UTF8.self)
    }

    private func destroy(_ host: PersonalKeysService, _ person: String = "usr_1") async throws -> Int64 {
        let call = try FakeHostCall(HostDestroyPersonalRequest.with { $0.person = person }, grants: Self.granted)
        host.serve("Destroy", call)
        return try await call.response(HostDestroyPersonalResponse.self).destroyedAt
    }

    private func reason(_ body: () async throws -> some Any) async -> String? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? CallError)?.reason
        }
    }

    @Test func whatIsSealedOpensForItsPersonAndPlaceOnEveryHost() async throws {
        let world = World()
        let (one, two) = (world.host(), world.host())
        let sealed = try await seal(one, "li@example.org")
        #expect(!String(decoding: sealed, as: UTF8.self).contains("example"))
        #expect(try await open(one, sealed) == "li@example.org")
        #expect(try await open(two, sealed) == "li@example.org")
        #expect(world.state.withLock { $0.wraps } == 1)
        _ = try await seal(one, "bo@example.org", of: "usr_2")
        #expect(await reason { try await open(one, sealed, of: "usr_2") } == "personal.tampered")
        #expect(await reason { try await open(one, sealed, place: "other") } == "personal.tampered")
        #expect(await reason { try await open(one, sealed, of: "usr_3") } == "personal.tampered")
        #expect(await reason { try await open(one, sealed.dropLast()) } == "personal.tampered")
        #expect(await reason { try await open(one, Data()) } == "personal.tampered")
        // Another's key in a person's row is found out by the key source.
        world.state.withLock { state in
            if let row = state.rows["usr_2"] { state.rows["usr_1"] = [.text("usr_1")] + row.dropFirst() }
        }
        #expect(await reason { try await open(world.host(), sealed) } == "keysource.tampered")
    }

    @Test func aDestroyedKeyIsOfNoUseAndNoneIsMadeAnew() async throws {
        let world = World()
        let (one, two) = (world.host(), world.host())
        let sealed = try await seal(one, "li@example.org")
        _ = try await open(two, sealed)
        let time = try await destroy(one)
        #expect(time == world.clock.wall)
        // At once where it was destroyed, within the bound elsewhere.
        #expect(await reason { try await open(one, sealed) } == "personal.erased")
        #expect(await reason { try await seal(one, "again") } == "personal.erased")
        world.clock.advance(5000)
        #expect(await reason { try await open(two, sealed) } == "personal.erased")
        #expect(await reason { try await seal(two, "again") } == "personal.erased")
        #expect(try await destroy(two) == time)
        #expect(world.state.withLock { $0.audited } == ["change person:usr_1", "change person:usr_1"])
        // Also for a person who never had one.
        _ = try await destroy(one, "usr_9")
        #expect(await reason { try await seal(two, "first", of: "usr_9") } == "personal.erased")
        #expect(world.state.withLock { $0.wraps } == 1)
    }

    @Test func aKeyInMemoryIsLookedUpAgainAndNotUnwrappedAgain() async throws {
        let world = World()
        let host = world.host()
        let sealed = try await seal(host, "li@example.org")
        let before = world.state.withLock { $0.queries }
        for _ in 0..<10 { _ = try await open(host, sealed) }
        #expect(world.state.withLock { $0.queries } == before)
        world.clock.advance(5000)
        _ = try await open(host, sealed)
        #expect(world.state.withLock { $0.queries } == before + 1)
        #expect(world.state.withLock { $0.unwraps } == 1)
    }

    @Test func withoutTheGrantOrAKeySourceThereIsNothing() async throws {
        let host = World().host()
        #expect(
            await reason { try await seal(host, "x", grants: ResolvedGrants()) } == "personal.not_granted")
        #expect(await reason { try await seal(World(keySource: false).host(), "x") } == "personal.no_key_source")
        #expect(await reason { try await seal(host, "x", of: "") } == "personal.bad_person")
        let many = try FakeHostCall(
            HostSealPersonalRequest.with {
                $0.person = "usr_1"
                $0.values = Array(repeating: Data(), count: 65)
            }, grants: Self.granted)
        host.serve("Seal", many)
        #expect(await many.error()?.reason == "personal.bad_values")
    }

    @Test func theKeysInMemoryAreBounded() {
        var cache = KeyCache<Int>(half: 10)
        for number in 0..<1000 {
            cache["always"] = cache["always"] ?? -1
            cache["\(number)"] = number
            #expect(cache.count <= 20)
        }
        let (last, first, always) = (cache["999"], cache["0"], cache["always"])
        #expect(last == 999 && first == nil && always == -1)
        cache["999"] = nil
        let removed = cache["999"]
        #expect(removed == nil)
    }
}
