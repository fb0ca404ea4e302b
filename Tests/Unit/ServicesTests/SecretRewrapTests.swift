// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// The job that wraps data keys anew: it goes on where it was stopped, and one bad row holds up no other.
struct SecretRewrapTests {
    /// A table of secrets and a key source, by hand.
    private final class World: Sendable {
        struct State {
            var rows: [SecretRow]
            /// Keys of persons, and by which version they are wrapped.
            var people: [String: String] = [:]
            var failures: [String: CallError] = [:]
            var audited: [String] = []
        }
        let state: Mutex<State>
        let calls = FakeCalls()

        init(_ count: Int) {
            state = Mutex(
                State(
                    rows: (0..<count).map { index in
                        SecretRow(
                            SecretAddress(deployment: "s\(1000 + index)"), version: 1, keyVersion: "1",
                            wrapped: Data("by 1".utf8), sealed: Data(), createdAt: 1, createdBy: "me")
                    }))
            calls.serve("keys", "theatre.keysource.v1.Source/Describe") {
                (_: KeySourceDescribeRequest, _) -> KeySourceDescribeResponse? in .with { $0.currentVersion = "2" }
            }
            calls.serve("db", "theatre.sql.v1.Database/Query") { [self] (request: SQLQueryRequest, _) -> SQLRows? in
                if request.statement.sql.contains("{personal_keys}") {
                    let after = request.statement.parameters[1].text
                    let people = state.withLock { $0.people.filter { $0.value == "1" && $0.key > after }.keys.sorted() }
                    return .with { $0.rows = people.prefix(100).map(Self.message) }
                }
                let after = request.statement.parameters.count > 1 ? request.statement.parameters[4].text : ""
                let rows = state.withLock { $0.rows.filter { $0.keyVersion == "1" && $0.address.name > after } }
                return .with { $0.rows = rows.prefix(100).map(Self.message) }
            }
            calls.serve("keys", "theatre.keysource.v1.Source/Rewrap") {
                [self] (request: KeySourceRewrapRequest, _) -> KeySourceWrapResponse? in
                let bad = state.withLock { state in
                    state.failures.first { request.associatedData.range(of: $0.key) }?.value
                }
                if let bad { throw bad }
                return .with {
                    $0.wrapped = Data("by 2".utf8)
                    $0.version = "2"
                }
            }
            calls.serve("db", "theatre.sql.v1.Database/Commit") {
                [self] (request: SQLCommitRequest, call) -> SQLCommitResponse? in
                let isOfPerson = request.statements[0].sql.contains("{personal_keys}")
                let name = request.statements[0].parameters[isOfPerson ? 0 : 3].text
                state.withLock { state in
                    let context = call.context.message
                    state.audited.append("\(context.resource) \(context.action) \(context.principal)")
                    if isOfPerson { state.people[name] = "2" }
                    for index in state.rows.indices where state.rows[index].address.name == name {
                        state.rows[index].keyVersion = "2"
                    }
                }
                return SQLCommitResponse()
            }
        }

        func run(wanted: @escaping @Sendable () -> Bool = { true }) async -> Result<[UInt8], CallError> {
            let rewrap = SecretRewrap(calls, storage: "db", keySource: "keys")
            let job = JobsJob.with {
                $0.jobID = "job_1"
                $0.principal = "usr_admin"
            }
            return await withCheckedContinuation { done in
                rewrap.run(job, deadline: 0, isWanted: wanted) { done.resume(returning: $0) }
            }
        }

        var left: Int { state.withLock { $0.rows.count { $0.keyVersion == "1" } } }

        private static func message(_ person: String) -> SQLRow {
            let kinds: [SQLValue.OneOf_Kind] = [
                .text(person), .text("1"), .blob(Data("by 1".utf8)), .integer(1), .integer(0),
            ]
            return .with { $0.values = kinds.map { kind in .with { $0.kind = kind } } }
        }

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

    @Test func everyDataKeyIsWrappedAnewWithAnAuditRow() async throws {
        let world = World(1234)
        let result = try JobsRunResponse(serializedBytes: await world.run().get())
        #expect(String(decoding: result.result, as: UTF8.self) == #"{"key_version":"2","wrapped":1234}"#)
        #expect(world.left == 0)
        #expect(world.state.withLock { $0.audited.count } == 1234)
        #expect(world.state.withLock { $0.audited[0] } == "secret:deployment/s1000 rewrap usr_admin")
    }

    @Test func theKeysOfPersonsAreWrappedAnewAfterThoseOfSecrets() async throws {
        let world = World(3)
        world.state.withLock { state in
            for number in 0..<230 { state.people["usr_\(1000 + number)"] = "1" }
            state.failures["usr_1100"] = CallError(.dataLoss, "keysource.tampered", "Not mine.")
        }
        let result = await world.run()
        let failure = try #require(throws: CallError.self) { try result.get() }
        #expect(failure.message.contains("232 data keys are wrapped by 2, 1 are not"))
        #expect(world.state.withLock { $0.people.filter { $0.value == "1" }.keys.sorted() } == ["usr_1100"])
        #expect(world.state.withLock { $0.audited[3] } == "person:usr_1000 rewrap usr_admin")
    }

    @Test func stoppedItGoesOnWithWhatIsLeft() async throws {
        let world = World(250)
        let count = Mutex(0)
        let stopped = await world.run {
            count.withLock { count in
                count += 1
                return count < 120
            }
        }
        #expect(throws: CallError.self) { try stopped.get() }
        #expect((1..<250).contains(world.left))
        _ = try await world.run().get()
        #expect(world.left == 0)
        #expect(world.state.withLock { $0.audited.count } == 250)
    }

    @Test func whatCannotBeUnwrappedHoldsUpNoOther() async throws {
        let world = World(300)
        let error = CallError(.failedPrecondition, "keysource.tampered", "Not mine.")
        world.state.withLock { state in
            for index in 0..<150 { state.failures["s\(1000 + index)"] = error }
        }
        let result = await world.run()
        let failure = try #require(throws: CallError.self) { try result.get() }
        #expect(failure.reason == "keysource.tampered")
        #expect(failure.message.contains("150 data keys are wrapped by 2, 150 are not"))
        #expect(world.left == 150)
    }

    @Test func aSourceThatCannotBeReachedIsAskedAgainAtTheNextRun() async throws {
        let world = World(10)
        world.state.withLock { $0.failures["s1004"] = CallError(.unavailable, "keysource.unreachable", "Sealed.") }
        let result = await world.run()
        let failure = try #require(throws: CallError.self) { try result.get() }
        #expect(failure.code == .unavailable)
        #expect(world.left == 6)
    }
}

extension Data {
    fileprivate func range(of text: String) -> Bool { firstRange(of: Data(text.utf8)) != nil }
}
