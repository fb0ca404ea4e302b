// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CPowerCut
import FoundationEssentials
import SeededRandom
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import SQLite

/// The power goes while many write: what was acknowledged is on the disk, what was not is there whole or not at all.
@Suite(.serialized) struct PowerCutTests {
    private static func folder() throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/theatre-power-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private static func open(_ folder: String) async throws -> (TestHost, TestInstance) {
        let host = TestHost()
        let instance = try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: "{\"path\": \"\(folder)/theatre.db\"}")
        host.route("storage", to: "sqlite", capability: "theatre.sql.v1.Database")
        host.route("log", to: "sqlite", capability: "theatre.events.v1.Log")
        host.route("queue", to: "sqlite", capability: "theatre.jobs.v1.Queue")
        return (host, instance)
    }

    private static func database(_ host: TestHost) -> Database {
        Database(
            host.scope(principal: "usr_1", tenant: "t1") {
                $0.publishes = "entry"
                $0.queues = PowerCutJobs.queue
            }, feature: "storage")
    }

    /// Cuts of one database; another follows while time is left, so that a look at it does not grow longer and longer.
    private static let cuts = 32

    private static let kinds: [power_cut_kind] = [
        POWER_CUT_NONE, POWER_CUT_PREFIX, POWER_CUT_SECTORS, POWER_CUT_ALL,
    ]

    @Test(.timeLimit(.minutes(5 + FaultPlan.current.minutes)))
    func whatWasAcknowledgedSurvivesAPowerCut() async throws {
        #expect(power_cut_install() == 0)
        defer { power_cut_remove() }
        var progress = FaultProgress(.cutsOfSQLite)
        var dice = SeededGenerator(seed: FaultPlan.current.seed)
        var (cuts, entries, runs) = (0, 0, 0)
        repeat {
            let known = try await database(&dice)
            cuts += Self.cuts
            entries += known.entries.count
            runs += known.finished.count
            progress.tell("\(cuts) cuts")
        } while progress.goesOn || cuts < FaultPlan.current.kills
        progress.end("\(cuts) cuts, \(entries) entries acknowledged, \(runs) jobs done meanwhile")
    }

    /// One database under load, and its cuts.
    private func database(_ dice: inout SeededGenerator) async throws -> Progress.Knowledge {
        let folder = try Self.folder()
        let (host, instance) = try await Self.open(folder)
        let checkpointer = try Checkpointer(folder)
        try await Self.database(host).migrate([
            Migration(
                "001-entries",
                """
                CREATE TABLE {entries} (tenant TEXT NOT NULL, id BIGINT NOT NULL, text TEXT NOT NULL,
                    PRIMARY KEY (tenant, id));
                CREATE INDEX {entries_by_text} ON {entries} (tenant, text);
                """)
        ])
        let progress = Progress()
        let seeds = (0..<Self.cuts).map { _ in dice.next() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<6 {
                group.addTask {
                    try await progress.watching { try await Self.write(Self.database(host), writer, progress) }
                }
            }
            group.addTask { try await progress.watching { try await PowerCutJobs(host).workOff(progress) } }
            group.addTask {
                defer { progress.stop() }
                for (cut, seed) in seeds.enumerated() {
                    try await progress.more(than: 3 + cut % 5)
                    // Every third cut goes through a log that is being written back.
                    let checkpoint = cut % 3 == 2 ? checkpointer : nil
                    let known = progress.known
                    async let done: Void? = checkpoint?.run()
                    let target = try Self.folder()
                    #expect(power_cut_snapshot(folder, target, Self.kinds[cut % 4], seed) == 0)
                    try await done
                    // What is stored while a cut is looked at only makes the next look longer.
                    progress.pause()
                    try await Self.check(target, "cut \(cut), \(seed), of kind \(cut % 4)", known)
                    progress.resume()
                    power_cut_forget(target)
                    try FileManager.default.removeItem(atPath: target)
                }
            }
            try await group.waitForAll()
        }
        let known = progress.known
        #expect(known.entries.count >= Self.cuts * 3)
        #expect(!known.finished.isEmpty, "no job was done before a cut")
        checkpointer.close()
        try await instance.stop()
        power_cut_forget(folder)
        try FileManager.default.removeItem(atPath: folder)
        return known
    }

    /// Entries of several sizes, so that some fit a page and some take many; each with an event that tells of it, and a job.
    private static func write(_ db: Database, _ writer: Int, _ progress: Progress) async throws {
        var number = 0
        while await progress.mayGoOn() {
            let id = Int64(writer * 1_000_000 + number)
            let text = String(repeating: "\(id) ", count: 1 + number % 7 * 150)
            number += 1
            try await db.commit {
                $0.run("INSERT INTO {entries} (tenant, id, text) VALUES (:tenant, ?1, ?2)", expect: 1, id, text)
                $0.publish(type: "entry.made", aggregate: "w\(writer)", data: "{\"id\": \(id)}")
                $0.enqueue(PowerCutJobs.new(of: id))
            }
            progress.acknowledge(id)
        }
    }

    /// Opens what a cut left: all that was acknowledged is there, and with each entry its event and its job.
    private static func check(_ folder: String, _ cut: String, _ known: Progress.Knowledge) async throws {
        let (host, instance) = try await open(folder)
        let stored = try await all(host)
        let missing = known.entries.subtracting(stored)
        #expect(missing.isEmpty, "\(cut) lost \(missing.count): \(missing.sorted().prefix(5))")
        let told = try await told(host, cut)
        #expect(told == stored, "\(cut) left half a transaction")
        try await PowerCutJobs(host).check(stored, known, cut)
        // And it can be written again.
        try await database(host).commit {
            $0.run("INSERT INTO {entries} (tenant, id, text) VALUES (:tenant, -1, 'after')", expect: 1)
        }
        try await instance.stop()
    }

    /// The entries that events tell of; of each writer in their order, without a gap.
    private static func told(_ host: TestHost, _ cut: String) async throws -> Set<Int64> {
        var told: Set<Int64> = []
        var after: Int64 = 0
        let log = EventsLogClient(host.scope(as: "host"), feature: "log")
        var last: [String: Int64] = [:]
        while true {
            let page = try await log.read(
                .with {
                    $0.after = after
                    $0.limit = 1000
                })
            if page.events.isEmpty { break }
            for event in page.events {
                let id = try #require(Int64(event.data.filter(\.isNumber)))
                let expected = (last[event.aggregate] ?? id - 1) + 1
                #expect(id == expected, "\(cut): an event of \(event.aggregate) is out of order")
                last[event.aggregate] = id
                told.insert(id)
            }
            after = page.head
        }
        return told
    }

    private static func all(_ host: TestHost) async throws -> Set<Int64> {
        var ids: Set<Int64> = []
        for try await row in try await database(host).stream("SELECT id, text FROM {entries} WHERE tenant = :tenant") {
            let id = try row.int("id")
            guard try row.text("text").hasPrefix("\(id) ") else { throw Torn(id: id) }
            ids.insert(id)
        }
        return ids
    }
}

/// An entry that is not as it was written.
private struct Torn: Error { let id: Int64 }

/// Writes the log back into the file, from a connection of its own.
private final class Checkpointer: Sendable {
    private let connection: Mutex<Connection?>

    init(_ folder: String) throws {
        let opened = try Connection(path: "\(folder)/theatre.db", role: .writer)
        connection = Mutex(opened)
    }

    func run() async throws {
        try connection.withLock { _ = try $0?.rows("PRAGMA wal_checkpoint(PASSIVE)") }
    }

    func close() {
        connection.withLock {
            $0?.close()
            $0 = nil
        }
    }
}
