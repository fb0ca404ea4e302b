// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import Testing

/// The host's disk is full: really, not by a feigned error.
///
/// Where nobody may mount a file system, what `StorageFaultTests` feigns under the host's library has to do.
@Suite(
    .serialized,
    .enabled(
        if: SmallDisk.isAvailable,
        "this machine lets nobody mount a file system of their own; only StorageFaultTests fills the disk, by a feigned error"
    ))
struct FullDiskTests {
    /// Everything of the host is on the disk: database, blobs, state.
    @Test func aFullDiskIsSaidAndNothingAcknowledgedIsLost() async throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("state")
        let disk = try await SmallDisk(at: folder.path("state"), megabytes: 24)
        let deployment = try TemporaryFolder(FaultEngine.sqlite.deployment.merging(JournalClient.blobs()) { $1 })
        let http = JournalClient.makeHTTP()
        do {
            try await run(deployment, folder, disk, http)
        } catch {
            try await http.shutdown()
            throw error
        }
        try await http.shutdown()
    }

    private func run(
        _ deployment: TemporaryFolder, _ folder: TemporaryFolder, _ disk: SmallDisk, _ http: HTTPClient
    ) async throws {
        func start() async throws -> (ServerProcess, JournalClient) {
            let host = try await ServerProcess.start(deployment.root, folder: folder, wrapper: disk.entrance)
            return (host, JournalClient(url: host.url, http: http))
        }
        var (host, journal) = try await start()
        var stored: Set<String> = []
        func goesOn(_ prefix: String) async throws {
            try await eventually("it is ready", seconds: 60) {
                try await host.client.get("/readyz").status == 200 ? true : nil
            }
            for number in 0..<10 {
                let draft = JournalDraft(id: "\(prefix)-\(number)", aggregate: "shared", number: 0)
                try await eventually("\(draft.id) is stored") {
                    if case .stored = await journal.enter(draft) { true } else { nil }
                }
                stored.insert(draft.id)
            }
            #expect(try await journal.putBlob("\(prefix)-blob", Self.blob) == "")
        }
        try await goesOn("before")

        try disk.fill()
        stored.formUnion(try await writeUntilRefused("full", journal))
        try await eventually("readyz says so", seconds: 60) { () -> Bool? in
            let answer = try await host.client.get("/readyz")
            return answer.status == 503 && answer.text.contains("sql.full") && answer.text.contains("blob.disk_full")
                ? true : nil
        }
        #expect(try await host.client.get("/healthz").status == 200)
        #expect(try await journal.putBlob("in-blob", Self.blob) == "blob.disk_full")
        let present = Set(try await journal.report("entries").map { $0[0] })
        #expect(present.isSuperset(of: stored), "what is stored can be read")

        try disk.free()
        try await goesOn("freed")

        // Filled again, and killed while it is full.
        try disk.fill()
        stored.formUnion(try await writeUntilRefused("again", journal))
        try await host.crash()
        try disk.free()
        (host, journal) = try await start()
        try await goesOn("restarted")
        let entries = try await journal.report("entries").map { $0[0] }
        #expect(Set(entries).isSuperset(of: stored) && Set(entries).count == entries.count)
        for prefix in ["before", "freed", "restarted"] {
            #expect(try await journal.blob("\(prefix)-blob") == Self.blob)
        }
        try await eventually("every event is delivered and every job done", seconds: 60) {
            let counts = try await journal.report("counts", isPaged: false).first?.compactMap { Int($0) } ?? []
            return counts.count == 3 && counts[1] == counts[0] && counts[2] == counts[0] ? true : nil
        }
        #expect(try await journal.report("faults", isPaged: false).isEmpty)
        try await host.stop()
    }

    /// Sends entries until one is refused, as it has to be; those that were stored.
    private func writeUntilRefused(_ prefix: String, _ journal: JournalClient) async throws -> [String] {
        var stored: [String] = []
        for number in 0..<10_000 {
            let draft = JournalDraft(id: "\(prefix)-\(number)", aggregate: "shared", number: 0)
            switch await journal.enter(draft) {
            case .stored: stored.append(draft.id)
            case .later(_, let reason):
                #expect(reason == "sql.full")
                return stored
            case let outcome: throw Unexpected("\(draft.id) on a full disk: \(outcome)")
            }
        }
        throw Unexpected("the disk does not become full")
    }

    private static let blob = ByteBuffer(repeating: 7, count: 200_000)
}
