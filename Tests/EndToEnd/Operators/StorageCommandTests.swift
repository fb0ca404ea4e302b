// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import Testing
import TheatreManifest

/// `theatre storage …` on what a server has stored, beside it and without it.
@Suite(.serialized) struct StorageCommandTests {
    @Test(arguments: StorageEngine.allCases)
    func aDatabaseTellsWhatItHoldsAndThatItIsSound(_ engine: StorageEngine) async throws {
        let desk = try await OperatorDesk(engine, journal: "")
        let server = try await desk.serve()
        try await look(desk, engine)
        try await server.stop()
        try await look(desk, engine)
        try await desk.expectRefusals([
            ("storage state", 64, "state"), ("storage verify a b", 64, "b"), ("storage backup", 64, "<path>"),
            ("storage restore", 64, "<path>"),
        ])
    }

    private func look(_ desk: OperatorDesk, _ engine: StorageEngine) async throws {
        let status = try await desk.json("storage status")
        #expect(status["engine"]?.string == engine.rawValue && status["writable"] == .bool(true))
        #expect((status["bytes"]?.integer ?? 0) > 0 && status["reason"] == .null)
        #expect(status["location"]?.string?.contains(engine == .sqlite ? "theatre.db" : "127.0.0.1") == true)
        #expect(try await desk.run("storage").contains("writable"))
        let migrations = try await desk.json("storage migrations").array ?? []
        #expect(migrations == status["namespaces"]?.array)
        let journal = try #require(migrations.first { $0["name"]?.string == "journal" })
        #expect(journal["migrations"]?.integer == 1 && journal["tables"]?.integer == 5)
        #expect(try await desk.run("storage migrations").contains("journal"))
        let verified = try await desk.json("storage verify")
        #expect(verified["ok"] == .bool(true) && verified["findings"] == .array([]))
        #expect((verified["pages"]?.integer ?? 0) > 0)
        #expect(try await desk.run("storage verify").contains("nothing is wrong"))
    }

    @Test func whatPostgreSQLHasItsOwnToolsForIsSaidAndNothingIsWritten() async throws {
        let desk = try await OperatorDesk(.postgresql, journal: "")
        let file = desk.folder.path("copy.db")
        try await desk.expectRefusals([
            ("storage backup \(file)", 1, "pg_basebackup"),
            ("storage backup \(file) --dry-run", 1, "has its own tools"),
            ("storage restore \(file)", 1, "pg_verifybackup"), ("storage verify \(file)", 1, "pg_verifybackup"),
        ])
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test func aBackupBringsBackWhatWasThere() async throws {
        let desk = try await OperatorDesk(.sqlite)
        let server = try await desk.serve()
        let first = try await Account.new(on: server)
        _ = try await first.buy(500)
        let file = desk.folder.path("copy.db")
        #expect(try await desk.run("storage backup \(file) --dry-run").contains("would be copied"))
        #expect(!FileManager.default.fileExists(atPath: file))
        let made = try await desk.json("storage backup \(file)")
        #expect(made["sha256"]?.string == (try digest(file)) && (made["pages"]?.integer ?? 0) > 0)
        #expect(try permissions(file) == 0o600, "it has everybody's secrets")
        #expect(try await desk.run("storage verify \(file)").contains("nothing is wrong"))

        let second = try await Account.new(on: server)
        let missing = desk.folder.path("missing")
        try await desk.expectRefusals([
            ("storage backup \(file)", 1, "exists; a backup goes to a new file"),
            ("storage backup \(missing)/copy.db", 1, "missing"),
            ("storage backup \(missing)/copy.db --dry-run", 1, "is no folder that can be written"),
            ("storage restore \(file)", 1, "sql.in_use: Another process has the database open; stop the host"),
        ])
        #expect(try digest(file) == made["sha256"]?.string)
        #expect(try await second.client.get("/api/v1/me").status == 200, "the server goes on")
        try await server.stop()

        #expect(try await desk.run("storage restore \(file) --dry-run").contains("nothing was replaced"))
        #expect(try await desk.json("storage restore \(file)")["restored"] == .bool(true))
        let restored = try await desk.serve()
        let again = try await Account.signIn(on: restored, first.email, first.password)
        #expect(try await again.chips() == 500)
        #expect(try await signsIn(second, on: restored) == 401, "made after the backup")
        try await restored.stop()

        // What was replaced can be put back.
        let kept = try #require(try beside(desk).first { $0.contains(".before-restore-") && !$0.hasSuffix("-wal") })
        #expect(try await desk.run("storage restore \(kept)").contains("is in place"))
        let back = try await desk.serve()
        #expect(try await signsIn(second, on: back) == 200)
        try await back.stop()
    }

    @Test func whatIsNoBackupIsNotPutInPlace() async throws {
        let desk = try await OperatorDesk(.sqlite, journal: "")
        let file = desk.folder.path("copy.db")
        _ = try await desk.run("storage backup \(file)")
        let database = desk.folder.path("state/storage/theatre.db")
        // What a command left in the log goes to the file whenever the last who has it open closes it.
        try DatabaseOnDisk.settle(database)
        let before = try digest(database)
        let (torn, text) = (desk.folder.path("torn.db"), desk.folder.path("text.db"))
        var bytes = try Data(contentsOf: URL(filePath: file))
        for index in 8192..<20_000 { bytes[index] = UInt8(truncatingIfNeeded: index &* 31) }
        try bytes.write(to: URL(filePath: torn))
        try Data("this is no database".utf8).write(to: URL(filePath: text))
        try await desk.expectRefusals([
            ("storage restore \(torn)", 1, "torn.db is damaged; nothing was replaced"),
            ("storage restore \(text)", 1, "file is not a database"),
            ("storage restore \(text) --dry-run", 1, "text.db is damaged; nothing was replaced"),
            ("storage restore \(desk.folder.path("none.db"))", 1, "none.db cannot be opened"),
            ("storage verify \(text)", 1, "file is not a database"),
            ("storage verify \(desk.folder.path("none.db"))", 1, "none.db cannot be opened"),
        ])
        let verified = try await desk.json("storage verify \(torn)", status: 1)
        #expect(verified["ok"] == .bool(false) && verified["findings"]?.array?.isEmpty == false)
        try DatabaseOnDisk.settle(database)
        #expect(try digest(database) == before)
        #expect(try beside(desk).allSatisfy { !$0.contains("restor") })
    }

    /// It has a folder for temporary files of its own, and sees nobody's else.
    @Test func aStorageInASandboxIsBackedUpAndRestored() async throws {
        let desk = try await OperatorDesk(.sqlite, journal: "")
        try desk.deployment.write(
            "10-storage.yaml", try desk.deployment.read("10-storage.yaml") + "mode: isolated\n")
        let server = try await desk.serve()
        try await JournalClient.with(server) { try await $0.store(["before"]) }
        let backups = try TemporaryFolder()
        let file = backups.path("copy.db")
        let made = try await desk.json("storage backup \(file)")
        let digest = try digest(file)
        #expect(made["sha256"]?.string == digest)
        try await JournalClient.with(server) { try await $0.store(["after"]) }
        try await server.stop()
        #expect(try await desk.run("storage verify \(file)").contains("nothing is wrong"))
        #expect(try await desk.run("storage restore \(file)").contains("is in place"))
        let restored = try await desk.serve()
        try await JournalClient.with(restored) { journal in
            let entries = try await journal.report("entries")
            #expect(entries.map { $0[0] } == ["before"])
        }
        try await restored.stop()
    }

    /// What damages a database file, and what of it SQLite can still read.
    enum Damage: CaseIterable { case everyPageButTheFirst, everyByte }

    @Test(arguments: Damage.allCases)
    func aBackupReplacesADatabaseThatIsDamaged(_ damage: Damage) async throws {
        let desk = try await OperatorDesk(.sqlite, journal: "")
        let path = desk.folder.path("state/storage/theatre.db")
        let file = desk.folder.path("copy.db")
        let server = try await desk.serve()
        try await JournalClient.with(server) { try await $0.store(["before"]) }
        _ = try await desk.run("storage backup \(file)")
        try await JournalClient.with(server) { try await $0.store(["after"]) }
        try await server.stop()
        try DatabaseOnDisk.settle(path)
        // What is in the log then, SQLite would apply to whatever file is there next.
        try DatabaseOnDisk.leaveLog(path, of: "UPDATE journal__entries SET aggregate = 'stale' WHERE id = 'before'")
        try DatabaseOnDisk.damage(path, from: damage == .everyByte ? 0 : 4096)

        let status = try await desk.json("storage status", status: 1)
        #expect(status["writable"] == .bool(false) && status["reason"]?.string?.hasPrefix("sql.corrupt: ") == true)
        try await desk.expectRefusals([
            ("storage", 1, "sql.corrupt"), ("storage verify", 1, "is damaged"),
            ("storage backup \(desk.folder.path("other.db"))", 1, "sql.corrupt"),
            ("jobs list", 1, "theatre storage restore"),
            ("storage restore \(path)", 1, "nothing was replaced"),
        ])
        await #expect { _ = try await desk.serve() } throws: { "\($0)".contains("theatre storage restore") }
        #expect(try await desk.run("storage verify \(file)").contains("nothing is wrong"))
        #expect(try await desk.run("storage restore \(file)").contains("is in place"))
        let kept = try beside(desk).filter { $0.contains(".before-restore-") }
        #expect(!kept.isEmpty)

        let restored = try await desk.serve()
        try await JournalClient.with(restored) { journal in
            #expect(try await journal.report("entries") == [["before", "shared", "1"]])
            try await journal.store(["then"])
        }
        try await restored.stop()
        #expect(try await desk.run("storage verify").contains("nothing is wrong"))
    }

    // MARK: -

    /// The files of the storage.
    private func beside(_ desk: OperatorDesk) throws -> [String] {
        try ["sqlite", "storage"].map { desk.folder.path("state/\($0)") }
            .filter { FileManager.default.fileExists(atPath: $0) }
            .flatMap { folder in
                try FileManager.default.contentsOfDirectory(atPath: folder).map { "\(folder)/\($0)" }
            }
    }

    private func digest(_ path: String) throws -> String {
        let digest = SHA256.hash(data: try Data(contentsOf: URL(filePath: path)))
        return digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private func permissions(_ path: String) throws -> Int? {
        let value = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        return (value as? Int) ?? (value as? UInt16).map { Int($0) } ?? (value as? UInt).map { Int($0) }
    }

    private func signsIn(_ person: Account, on server: ServerProcess) async throws -> Int {
        try await server.client.post(
            "/api/v1/auth/login", .object(["email": .string(person.email), "password": .string(person.password)])
        ).status
    }
}
