// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatreStorage

@testable import SQLite

struct MaintenanceTests {
    let fixture: EngineFixture

    init() throws { fixture = try EngineFixture() }

    private var host: CallerScope { get throws { try fixture.scope("host") } }

    private func fill(_ rows: Int) async throws {
        try await fixture.migrate("a", "CREATE TABLE {t} (tenant TEXT NOT NULL, n BIGINT NOT NULL, body TEXT);")
        for n in 0..<rows {
            try await fixture.commit(
                "a", "INSERT INTO {t} VALUES (:tenant, ?1, ?2)", SQLValue(Int64(n)),
                SQLValue(String(repeating: "x", count: 500)))
        }
    }

    private func backup(to path: String) async throws -> [SQLBackupProgress] {
        let seen = Mutex<[SQLBackupProgress]>([])
        try await fixture.engine.backup(to: path, for: host) { progress in seen.withLock { $0.append(progress) } }
        return seen.withLock { $0 }
    }

    @Test func aBackupIsOneSnapshotWholeAndVerified() async throws {
        try await fill(50)
        let path = "\(fixture.folder)/copy.db"
        let fixture = fixture
        let progress = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // Each commit keeps both counts equal; a copy of half of one would show.
                for _ in 0..<40 {
                    try await fixture.commit("a", "INSERT INTO {t} VALUES (:tenant, -1, NULL), (:tenant, -2, NULL)")
                }
            }
            let progress = try await backup(to: path)
            try await group.waitForAll()
            return progress
        }
        let last = try #require(progress.last)
        #expect(last.done && last.copied == last.total && last.total > 0 && last.sha256.utf8.count == 64)
        #expect(try DatabaseFile.digest(path) == last.sha256)
        #expect(
            !FileManager.default.fileExists(atPath: path + ".partial")
                && !FileManager.default.fileExists(atPath: path + "-wal"))
        let verified = try await fixture.engine.verify(path, for: host)
        #expect(verified.findings.isEmpty && verified.pages == last.total)
        let copy = try Connection(path: path, role: .archive)
        defer { copy.close() }
        let counts = try copy.rows(
            "SELECT COUNT(*) FILTER (WHERE n = -1), COUNT(*) FILTER (WHERE n = -2), COUNT(*) FILTER (WHERE n >= 0) FROM a__t"
        )
        #expect(counts[0].values[0].integer == counts[0].values[1].integer && counts[0].values[2].integer == 50)
        let again = await failure { try await backup(to: path) }
        #expect(again?.reason == "sql.file_exists")
        #expect(await failure { try await backup(to: "copy.db") }?.reason == "sql.bad_path")
    }

    @Test func sha256IsTheStandardOne() throws {
        let path = "\(fixture.folder)/abc"
        try Data("abc".utf8).write(to: URL(filePath: path))
        #expect(try DatabaseFile.digest(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        try Data(repeating: 0x61, count: 1_000_000).write(to: URL(filePath: path))
        #expect(try DatabaseFile.digest(path) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func aBackupIsRestoredAndTheReplacedDatabaseKept() async throws {
        try await fill(5)
        let path = "\(fixture.folder)/copy.db"
        _ = try await backup(to: path)
        try await fixture.commit("a", "DELETE FROM {t}")
        let restoring = Restoring(database: fixture.engine.path, backup: path, now: 5)
        #expect(throws: Restoring.inUse) { try restoring.run() }
        #expect(try await fixture.query("a", "SELECT COUNT(*) FROM {t}")[0][0].integer == 0, "refused, it is as it was")
        await fixture.engine.closeAndWait()
        try restoring.check()
        let progress = try restoring.run()
        #expect(try progress.done && progress.total > 0 && DatabaseFile.digest(path) == progress.sha256)
        let engine = try EngineFixture.open(fixture.engine.path)
        let request = SQLQueryRequest.with { $0.statement = statement("SELECT COUNT(*) FROM {t}") }
        #expect(try await engine.query(request, for: fixture.scope("a")).rows[0].values[0].integer == 5)
        await engine.closeAndWait()
        let kept = try Connection(path: restoring.kept, role: .archive)
        defer { kept.close() }
        #expect(try kept.rows("SELECT COUNT(*) FROM a__t")[0].values[0].integer == 0)
    }

    @Test func whatIsNoBackupIsNotRestored() async throws {
        let path = "\(fixture.folder)/text"
        try Data("hello".utf8).write(to: URL(filePath: path))
        #expect(throws: StorageError.self) {
            try Restoring(database: fixture.engine.path, backup: path, now: 5).check()
        }
        let empty = try Connection(path: "\(fixture.folder)/empty.db", role: .copy)
        try empty.execute("CREATE TABLE x (a)")
        empty.close()
        do {
            try Restoring(database: fixture.engine.path, backup: "\(fixture.folder)/empty.db", now: 5).check()
            Issue.record("it passed")
        } catch { #expect(error.reason == "sql.not_a_backup") }
    }

    @Test func statusTellsWhatThereIs() async throws {
        try await fill(3)
        let status = try await fixture.engine.status(for: host)
        #expect(status.engine == "sqlite" && status.writable && status.reason.isEmpty && status.bytes > 0)
        #expect(status.namespaces.map(\.name) == ["a", "host"])
        #expect(
            status.namespaces[0].tables == 1 && status.namespaces[0].migrations == 1
                && status.namespaces[1].tables == 11
        )
        #expect((status.figures["transactions"] ?? 0) >= 3)
        #expect(status.figures["makes_backups"] == 1, "which commands ask for")
    }
}

struct FaultTests {
    let fixture: EngineFixture

    init() throws { fixture = try EngineFixture() }

    private var host: CallerScope { get throws { try fixture.scope("host") } }

    private func status() async throws -> SQLStatusResponse { try await fixture.engine.status(for: host) }

    private func table() async throws {
        try await fixture.migrate("a", "CREATE TABLE {t} (tenant TEXT NOT NULL, body TEXT);")
    }

    private func write(_ size: Int = 1) async throws {
        try await fixture.commit(
            "a", "INSERT INTO {t} VALUES (:tenant, ?1)", SQLValue(String(repeating: "x", count: size)))
    }

    private func onWriter(_ sql: String) async throws {
        try await fixture.engine.writer.run(for: host) { try $0.execute(sql) }
    }

    @Test func aFullDiskIsSaidAndPasses() async throws {
        try await table()
        try await write()
        try await onWriter("PRAGMA max_page_count = 1")
        let error = await failure { try await write(100_000) }
        #expect(
            error?.reason == "sql.full" && error?.code == .resourceExhausted
                && error?.effect == StorageError.Effect.none)
        let full = try await status()
        // The probe changes a page that is there, so it goes through where only growth is refused.
        #expect(full.writable)
        try await onWriter("PRAGMA max_page_count = 1000000")
        try await write(100_000)
        #expect(try await fixture.query("a", "SELECT COUNT(*) FROM {t}")[0][0].integer == 2)
    }

    @Test func aDatabaseThatCannotBeWrittenIsReportedUntilItCan() async throws {
        try await table()
        try await onWriter("PRAGMA query_only = ON")
        let error = await failure { try await write() }
        #expect(error?.reason == "sql.read_only" && error?.retry == .after(milliseconds: 1000))
        let down = try await status()
        #expect(!down.writable && down.reason.hasPrefix("sql.read_only"))
        #expect(try await fixture.query("a", "SELECT COUNT(*) FROM {t}")[0][0].integer == 0, "it is still read")
        try await onWriter("PRAGMA query_only = OFF")
        #expect(try await status().writable, "the look itself tries")
        try await write()
    }

    @Test func anotherProcessThatHoldsTheLockIsSaid() async throws {
        var options = EngineOptions()
        options.busyMilliseconds = 20
        let fixture = try EngineFixture(options: options)
        try await fixture.migrate("a", "CREATE TABLE {t} (tenant TEXT NOT NULL, body TEXT);")
        let other = try Connection(path: fixture.engine.path, role: .writer)
        try other.execute("BEGIN IMMEDIATE")
        let error = await failure { try await fixture.commit("a", "INSERT INTO {t} VALUES (:tenant, 'x')") }
        #expect(error?.reason == "sql.busy" && error?.retry == .safe && error?.effect == StorageError.Effect.none)
        #expect(try await fixture.engine.status(for: fixture.scope("host")).writable == false)
        try other.execute("ROLLBACK")
        other.close()
        try await fixture.commit("a", "INSERT INTO {t} VALUES (:tenant, 'x')")
        #expect(try await fixture.engine.status(for: fixture.scope("host")).writable)
    }

    @Test func aDamagedPageIsSaidAndStaysSaid() async throws {
        try await table()
        for _ in 0..<50 { try await write(2000) }
        let path = fixture.engine.path
        await fixture.engine.closeAndWait()
        var bytes = try Data(contentsOf: URL(filePath: path))
        let pages = bytes.count / 4096
        try #require(pages > 15, "the log was written back")
        for page in (pages - 15)..<pages {
            for index in (page * 4096)..<(page * 4096 + 400) where index < bytes.count { bytes[index] = 0xA5 }
        }
        try bytes.write(to: URL(filePath: path))
        let engine = try EngineFixture.open(path)
        let read = SQLQueryRequest.with { $0.statement = statement("SELECT SUM(length(body)) FROM {t}") }
        let error = await failure { try await engine.query(read, for: fixture.scope("a")) }
        #expect(error?.reason == "sql.corrupt" && error?.code == .dataLoss)
        let status = try await engine.status(for: host)
        #expect(!status.writable && status.reason.hasPrefix("sql.corrupt"))
        let findings = try await engine.verify("", for: host).findings
        #expect(!findings.isEmpty)
        await engine.closeAndWait()
    }

    /// Locks of a file are a process's: they do not keep two restores of one process apart.
    @Test func aDamagedDatabaseIsReplacedByOneRestoreAtATime() throws {
        let path = "\(fixture.folder)/damaged.db"
        try Data(repeating: 0xA5, count: 8192).write(to: URL(filePath: path))
        let restoring = Restoring(database: path, backup: "\(fixture.folder)/backup.db", now: 1)
        let lock = try restoring.exclusive()
        #expect(lock.isOfFile)
        let error = #expect(throws: StorageError.self) { try restoring.exclusive() }
        #expect(error?.reason == "sql.in_use")
        restoring.close(lock)
        restoring.close(try restoring.exclusive())
    }

    /// The last connection writes the log back; when several close at once one of them must still be the last.
    @Test func aCleanEndLeavesNoLog() async throws {
        for round in 0..<60 {
            let fixture = try EngineFixture()
            try await fixture.migrate("a", "CREATE TABLE {t} (tenant TEXT NOT NULL, n BIGINT);")
            let request = SQLQueryRequest.with { $0.statement = statement("SELECT n FROM {t} WHERE tenant = :tenant") }
            try await fixture.engine.queryStream(request, for: fixture.scope("a")) { _ in }
            await fixture.engine.closeAndWait()
            #expect(!FileManager.default.fileExists(atPath: "\(fixture.engine.path)-wal"), "round \(round)")
        }
    }

    @Test func whatAnotherProcessWroteIsNoticed() async throws {
        var options = EngineOptions()
        options.pollNanoseconds = 20_000_000
        let fixture = try EngineFixture(options: options)
        // Two engines know nothing of each other, like two processes.
        let other = try EngineFixture.open(fixture.engine.path, options)
        let host = try fixture.scope("host")
        let scope = try fixture.scope("a") { $0.queues = "work" }
        async let events = fixture.engine.read(.with { $0.waitMs = 20_000 }, for: host)
        async let jobs = fixture.engine.lease(
            .with {
                $0.worker = "w"
                $0.leaseMs = 5000
                $0.waitMs = 20_000
                $0.queues = [
                    .with {
                        $0.owner = "a"
                        $0.queue = "work"
                        $0.limit = 1
                    }
                ]
            }, for: host)
        let event = EventsNewEvent.with {
            $0.type = "a.done"
            $0.data = "{}"
        }
        let job = JobsNewJob.with {
            $0.queue = "work"
            $0.kind = "x"
        }
        _ = try await other.commit(
            .with {
                $0.attachments.events = [event]
                $0.attachments.jobs = [job]
            }, for: scope)
        #expect(try await events.events.count == 1)
        #expect(try await jobs.jobs.count == 1)
        await other.closeAndWait()
    }
}
