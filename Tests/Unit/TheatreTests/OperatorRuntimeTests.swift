// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import theatre

/// An operator's command runs the deployment's storage alone, on the libraries that were built.
@Suite(.serialized, .timeLimit(.minutes(2))) struct OperatorRuntimeTests {
    private static let host = "development: true\nstorage: storage\n"
    private static let storage = "plugin: SQLite\ninstance: storage\ncritical: true\ngrants: {state_folder: true}\n"

    private func run(
        _ files: [String: String] = ["00-host.yaml": host, "10-storage.yaml": storage],
        state: TemporaryFolder, _ body: @escaping @Sendable (OperatorRuntime) throws -> Void
    ) async throws {
        let deployment = try TemporaryFolder(files)
        try await blocking {
            let options = try DeploymentOptions.parse(["--plugins-d", deployment.path])
            try OperatorRuntime.run(options, state: state.path, body)
        }
    }

    private func refusal(
        _ files: [String: String] = ["00-host.yaml": host, "10-storage.yaml": storage],
        _ body: @escaping @Sendable (OperatorRuntime) throws -> Void = { _ in }
    ) async throws -> String {
        let state = try TemporaryFolder()
        let error = await #expect(throws: ServeFailure.self) { try await run(files, state: state, body) }
        return error.map { "\($0)" } ?? ""
    }

    @Test func theStorageIsCalledAsTheHost() async throws {
        let state = try TemporaryFolder()
        try await run(state: state) { runtime in
            #expect(runtime.storage == "storage" && runtime.host.state == state.path)
            let status: SQLStatusResponse = try runtime.call("theatre.sql.v1.Maintenance/Status", SQLStatusRequest())
            #expect(status.writable)
            let append = EventsAppendRequest.with {
                $0.events = [
                    .with {
                        $0.type = "a.b"
                        $0.aggregate = "1"
                        $0.data = "{}"
                    }
                ]
            }
            let appended: EventsAppendResponse = try runtime.call("theatre.events.v1.Log/Append", append)
            #expect(appended.lastOffset == 1)
        }
        // What was written is there for the next command, so the storage was stopped in order.
        try await run(state: state) { runtime in
            let read: EventsReadResponse = try runtime.call(
                "theatre.events.v1.Log/Read", EventsReadRequest.with { $0.limit = 10 })
            #expect(read.events.map(\.type) == ["a.b"])
        }
    }

    /// The deployment's other instances are not started, and a need that leads to them is not met: neither has to be.
    @Test func nothingButTheStorageIsStarted() async throws {
        let state = try TemporaryFolder()
        let files = [
            "00-host.yaml": Self.host, "10-storage.yaml": Self.storage,
            "20-inbox.yaml": "plugin: Inbox\ninstance: inbox\ngrants: {publishes: [inbox]}\n",
        ]
        try await run(files, state: state) { runtime in
            let status: SQLStatusResponse = try runtime.call("theatre.sql.v1.Maintenance/Status", SQLStatusRequest())
            #expect(status.namespaces.allSatisfy { $0.name != "inbox" })
        }
    }

    @Test func aStreamComesInOrderAndToItsEnd() async throws {
        let state = try TemporaryFolder()
        let target = "\(state.path)/copy.db"
        try await run(state: state) { runtime in
            let seen = Mutex<[SQLBackupProgress]>([])
            try runtime.stream(
                "theatre.sql.v1.Maintenance/Backup", SQLBackupRequest.with { $0.path = target }, timeout: .seconds(30)
            ) { (progress: SQLBackupProgress) in seen.withLock { $0.append(progress) } }
            let all = seen.withLock { $0 }
            #expect(all.last?.done == true && all.dropLast().allSatisfy { !$0.done })
            #expect(FileManager.default.fileExists(atPath: target))
        }
    }

    @Test func theErrorOfAStreamIsSaidInWords() async throws {
        let folder = try TemporaryFolder(["there": "something else"])
        let words = try await refusal { runtime in
            try runtime.stream(
                "theatre.sql.v1.Maintenance/Backup", SQLBackupRequest.with { $0.path = "\(folder.path)/there" },
                timeout: .seconds(30)
            ) { (_: SQLBackupProgress) in }
        }
        #expect(words.hasPrefix("sql.file_exists: "))
    }

    @Test func theErrorOfACallIsSaidInWords() async throws {
        let words = try await refusal { runtime in
            let _: SQLVerifyResponse = try runtime.call(
                "theatre.sql.v1.Maintenance/Verify", SQLVerifyRequest.with { $0.path = "relative" })
        }
        #expect(words.hasPrefix("sql.bad_path: "))
    }

    @Test func whatTheStorageDoesNotOfferIsSaid() async throws {
        let words = try await refusal { runtime in
            let _: BlobBlobInfo = try runtime.call("theatre.blob.v1.Store/Stat", BlobStatRequest())
        }
        #expect(words.contains("The storage plugin of this deployment does not offer it."))
    }

    @Test func aDeploymentWithFaultsIsLeftAlone() async throws {
        let words = try await refusal(["00-host.yaml": Self.host, "10-storage.yaml": "plugin: SQLite\ninstanze: x\n"])
        #expect(words.contains("instanze") && words.contains("nothing was done"))
    }

    @Test func aStorageThatCannotStartIsNamedWithItsReason() async throws {
        let folder = try TemporaryFolder()
        let words = try await refusal([
            "00-host.yaml": Self.host, "10-storage.yaml": Self.storage + "config: {path: \"\(folder.path)\"}\n",
        ])
        #expect(words.contains("storage") && words.contains("sql.open"), "\(words)")
    }

    /// What the body throws comes out as it is, after the storage has stopped.
    @Test func aFailureOfTheCommandItselfStopsTheStorage() async throws {
        struct Failure: Error {}
        let state = try TemporaryFolder()
        await #expect(throws: Failure.self) { try await run(state: state) { _ in throw Failure() } }
        try await run(state: state) { runtime in
            let status: SQLStatusResponse = try runtime.call("theatre.sql.v1.Maintenance/Status", SQLStatusRequest())
            #expect(status.writable)
        }
    }
}
