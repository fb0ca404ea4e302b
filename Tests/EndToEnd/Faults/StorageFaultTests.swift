// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import CSQLite
import FoundationEssentials
import Glibc
import Testing
import TheatreManifest

/// The file under the host fails: it says so, loses nothing, and goes on when the file can be written again.
@Suite(.serialized) struct StorageFaultTests {
    @Test(arguments: [("full", "sql.full"), ("io", "sql.io"), ("read_only", "sql.read_only")])
    func aFileThatTakesNoWritesIsSaidAndForgotten(_ word: String, _ reason: String) async throws {
        let control = try TemporaryFolder(["fault": ""])
        let environment = [
            "LD_PRELOAD": "\(BuildFolder.path)/libFileFaults.so",
            "THEATRE_TEST_FILE_FAULTS": control.path("fault"),
        ]
        try await with(environment) { host, journal in
            var stored = try await journal.enterAll("before")
            try control.write("fault", word)
            let refused = await journal.enter(JournalDraft(id: "in-1", aggregate: "own", number: 100))
            guard case .later(_, let said) = refused else { throw Unexpected("it was \(refused)") }
            #expect(said == reason)
            try await eventually("readyz says so", seconds: 60) { () -> Bool? in
                let answer = try await host.client.get("/readyz")
                return answer.status == 503 && answer.text.contains(reason) ? true : nil
            }
            #expect(try await host.client.get("/healthz").status == 200)
            #expect(try await journal.report("entries").count == stored.count, "what is stored can be read")

            try control.write("fault", "")
            try await eventually("it is ready again") {
                try await host.client.get("/readyz").status == 200 ? true : nil
            }
            stored += try await journal.enterAll("then")
            try await journal.expectEntries(stored)
        }
    }

    @Test func aLockedDatabaseIsToBeTriedAgain() async throws {
        try await with([:]) { host, journal in
            var stored = try await journal.enterAll("before")
            let other = try LockHolder(host.database)
            let refused = await journal.enter(JournalDraft(id: "in-1", aggregate: "own", number: 100))
            guard case .later(_, let said) = refused else { throw Unexpected("it was \(refused)") }
            #expect(said == "sql.busy")
            try await eventually("readyz says so", seconds: 60) { () -> Bool? in
                let answer = try await host.client.get("/readyz")
                return answer.status == 503 && answer.text.contains("sql.busy") ? true : nil
            }
            #expect(try await host.client.get("/healthz").status == 200)
            #expect(try await journal.report("entries").count == stored.count, "what is stored can be read")
            other.release()
            try await eventually("it is ready again") {
                try await host.client.get("/readyz").status == 200 ? true : nil
            }
            stored += try await journal.enterAll("then")
            try await journal.expectEntries(stored)
        }
    }

    @Test func aDamagedDatabaseIsRefusedWithItsPlace() async throws {
        let folder = try TemporaryFolder()
        let deployment = try TemporaryFolder(FaultEngine.sqlite(at: folder.path("theatre.db")).deployment)
        let http = JournalClient.makeHTTP()
        let host = try await ServerProcess.start(deployment.root, folder: folder)
        _ = try await JournalClient(url: host.url, http: http).enterAll("before")
        try await http.shutdown()
        try await host.stop()
        try DatabaseOnDisk.settle(host.database)
        try DatabaseOnDisk.damage(host.database)
        await #expect {
            let second = try await ServerProcess.start(deployment.root, folder: folder)
            let said = try await eventually("readyz says so") { () -> String? in
                let ready = try await second.client.get("/readyz")
                return ready.status == 503 ? ready.text : nil
            }
            throw Unexpected(said)
        } throws: { "\($0)".contains("sql.corrupt") }
    }

    /// Permissions bind nobody who is root, and the kernel makes no file system read-only while a file of it is open for
    /// writing: it is one of its own, that is so when the host starts.
    @Test(.enabled(if: SmallDisk.isAvailable, "this machine lets nobody mount a file system of their own"))
    func aReadOnlyFileSystemIsRefusedWithItsReasonUntilItCanBeWritten() async throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("state")
        let disk = try await SmallDisk(at: folder.path("state"), megabytes: 24)
        let deployment = try TemporaryFolder(FaultEngine.sqlite.deployment)
        func serve(_ body: (JournalClient) async throws -> Void) async throws {
            let host = try await ServerProcess.start(deployment.root, folder: folder, wrapper: disk.entrance)
            try await JournalClient.with(host, body)
            try await host.stop()
        }
        var stored: [String] = []
        try await serve { stored = try await $0.enterAll("before") }
        try await disk.remount(isReadOnly: true)
        await #expect { try await serve { _ in } } throws: { "\($0)".contains("sql.read_only") }
        try await disk.remount(isReadOnly: false)
        try await serve { journal in
            try await journal.expectEntries(stored)
            _ = try await journal.enterAll("then")
        }
    }

    /// A page goes bad below a host that serves; a backup puts it right.
    @Test func aPageDamagedUnderTheHostIsSaidUntilABackupIsInItsPlace() async throws {
        let desk = try await OperatorDesk(.sqlite, journal: "")
        let (path, backup) = (desk.folder.path("state/storage/theatre.db"), desk.folder.path("copy.db"))
        let host = try await desk.serve()
        var stored: [String] = []
        try await JournalClient.with(host) { journal in
            stored = try await journal.enterAll("before")
            _ = try await desk.run("storage backup \(backup)")
            let refused = try await eventually("a read meets the damage") { () -> Client.Answer? in
                // The log cannot be moved while a read uses it, and what the host has in memory is sound until somebody
                // else has written.
                try DatabaseOnDisk.settle(path)
                try DatabaseOnDisk.damage(path)
                try DatabaseOnDisk.touch(path)
                let answer = try await host.client.get("/api/v1/journal/reports/entries")
                return answer.status == 200 ? nil : answer
            }
            #expect(try refused.json.value(at: "/details/reason")?.string == "sql.corrupt")
            #expect(try refused.json["retryable"] == .bool(false))
            try await eventually("readyz says so", seconds: 60) { () -> Bool? in
                let answer = try await host.client.get("/readyz")
                return answer.status == 503 && answer.text.contains("sql.corrupt") ? true : nil
            }
            #expect(try await host.client.get("/healthz").status == 200)
        }
        try await host.crash()
        _ = try await desk.run("storage restore \(backup)")
        let second = try await desk.serve()
        #expect(try await second.client.get("/readyz").status == 200)
        try await JournalClient.with(second) { journal in
            try await journal.expectEntries(stored)
            _ = try await journal.enterAll("then")
        }
        try await second.stop()
    }

    @Test func aFolderInThePlaceOfTheDatabaseIsSaid() async throws {
        let folder = try TemporaryFolder()
        let deployment = try TemporaryFolder(FaultEngine.sqlite(at: folder.path("theatre.db")).deployment)
        try FileManager.default.createDirectory(atPath: folder.path("theatre.db"), withIntermediateDirectories: false)
        await #expect {
            _ = try await ServerProcess.start(deployment.root)
        } throws: { "\($0)".contains("sql.open") && "\($0)".contains("theatre.db") }
    }

    private func with(
        _ environment: [String: String], _ body: (ServerProcess, JournalClient) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let deployment = try TemporaryFolder(FaultEngine.sqlite(at: folder.path("theatre.db")).deployment)
        let host = try await ServerProcess.start(deployment.root, folder: folder, environment: environment)
        let http = JournalClient.makeHTTP()
        do {
            try await body(host, JournalClient(url: host.url, http: http))
            try await host.stop()
        } catch {
            try await http.shutdown()
            throw Unexpected("\(error)\n\(host.output.suffix(3000))")
        }
        try await http.shutdown()
    }
}

extension ServerProcess {
    /// The file of the instance `storage`.
    fileprivate var database: String { folder.path("theatre.db") }
}

extension JournalClient {
    /// Stores ten entries; their ids.
    fileprivate func enterAll(_ prefix: String) async throws -> [String] {
        var ids: [String] = []
        for number in 0..<10 {
            let draft = JournalDraft(id: "\(prefix)-\(number)", aggregate: "shared", number: 0)
            try await eventually("\(draft.id) is stored") {
                switch await enter(draft) {
                case .stored: true
                case .later: nil
                case let outcome: throw Unexpected("\(draft.id): \(outcome)")
                }
            }
            ids.append(draft.id)
        }
        return ids
    }

    /// Fails where one of these is missing.
    fileprivate func expectEntries(_ ids: [String]) async throws {
        let stored = Set(try await report("entries").map { $0[0] })
        #expect(stored.isSuperset(of: ids))
    }
}

/// A connection of another process's kind that holds the write lock.
private final class LockHolder {
    private var connection: OpaquePointer?

    init(_ path: String) throws {
        guard sqlite3_open(path, &connection) == SQLITE_OK, sqlite3_busy_timeout(connection, 10_000) == SQLITE_OK,
            sqlite3_exec(connection, "BEGIN IMMEDIATE", nil, nil, nil) == SQLITE_OK
        else { throw Unexpected("\(path) cannot be locked") }
    }

    func release() {
        sqlite3_close(connection)
        connection = nil
    }

    deinit { sqlite3_close(connection) }
}
