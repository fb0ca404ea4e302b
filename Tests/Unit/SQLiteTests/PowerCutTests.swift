// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CPowerCut
import FoundationEssentials
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
        return (host, instance)
    }

    private static func database(_ host: TestHost) -> Database {
        Database(host.scope(principal: "usr_1", tenant: "t1") { $0.publishes = "entry" }, feature: "storage")
    }

    /// More where faults are sought for longer: see Tests/EndToEnd/Faults/README.md.
    private static let cuts = ProcessInfo.processInfo.environment["THEATRE_FAULT_KILLS"].flatMap { Int($0) } ?? 32

    private static let kinds: [power_cut_kind] = [
        POWER_CUT_NONE, POWER_CUT_PREFIX, POWER_CUT_SECTORS, POWER_CUT_ALL,
    ]

    @Test(.timeLimit(.minutes(2)))
    func whatWasAcknowledgedSurvivesAPowerCut() async throws {
        #expect(power_cut_install() == 0)
        let folder = try Self.folder()
        let (host, instance) = try await Self.open(folder)
        let checkpointer = try Checkpointer(folder)
        power_cut_remove()
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
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<6 {
                group.addTask {
                    do { try await Self.write(Self.database(host), writer, progress) } catch {
                        progress.fail(error)
                        throw error
                    }
                }
            }
            group.addTask {
                defer { progress.stop() }
                for cut in 0..<Self.cuts {
                    try await progress.more(than: 3 + cut % 5)
                    // Every third cut goes through a log that is being written back.
                    let checkpoint = cut % 3 == 2 ? checkpointer : nil
                    let acknowledged = progress.acknowledged
                    async let done: Void? = checkpoint?.run()
                    let target = try Self.folder()
                    let seed = UInt64(cut + 1)
                    #expect(power_cut_snapshot(folder, target, Self.kinds[cut % 4], seed) == 0)
                    try await done
                    // What is stored while a cut is looked at only makes the next look longer.
                    progress.pause()
                    try await Self.check(target, "cut \(seed) of kind \(cut % 4)", acknowledged)
                    progress.resume()
                    try FileManager.default.removeItem(atPath: target)
                }
            }
            try await group.waitForAll()
        }
        #expect(progress.acknowledged.count >= Self.cuts * 3)
        checkpointer.close()
        try await instance.stop()
        try FileManager.default.removeItem(atPath: folder)
    }

    /// Entries of several sizes, so that some fit a page and some take many; each with an event that tells of it.
    private static func write(_ db: Database, _ writer: Int, _ progress: Progress) async throws {
        var number = 0
        while await progress.mayGoOn() {
            let id = Int64(writer * 1_000_000 + number)
            let text = String(repeating: "\(id) ", count: 1 + number % 7 * 150)
            number += 1
            try await db.commit {
                $0.run("INSERT INTO {entries} (tenant, id, text) VALUES (:tenant, ?1, ?2)", expect: 1, id, text)
                $0.publish(type: "entry.made", aggregate: "w\(writer)", data: "{\"id\": \(id)}")
            }
            progress.acknowledge(id)
        }
    }

    /// Opens what a cut left: all that was acknowledged is there, and with each entry its event.
    private static func check(_ folder: String, _ cut: String, _ acknowledged: Set<Int64>) async throws {
        let (host, instance) = try await open(folder)
        let stored = try await all(host)
        let missing = acknowledged.subtracting(stored)
        #expect(missing.isEmpty, "\(cut) lost \(missing.count): \(missing.sorted().prefix(5))")
        let told = try await told(host, cut)
        #expect(told == stored, "\(cut) left half a transaction")
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

/// What the writers were told is stored.
private final class Progress: Sendable {
    private struct State {
        var acknowledged: Set<Int64> = []
        var isStopped = false
        var isPaused = false
        /// Writers that wait for the end of the pause.
        var waiting: [CheckedContinuation<Void, Never>] = []
        var failure: (any Error)?
    }

    private let state = Mutex(State())

    var acknowledged: Set<Int64> { state.withLock { $0.acknowledged } }

    func stop() {
        state.withLock { $0.isStopped = true }
        resume()
    }

    /// From now on writers wait after the entry they are at.
    func pause() { state.withLock { $0.isPaused = true } }

    func resume() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.isPaused = false
            return state.waiting
        }
        for writer in waiting { writer.resume() }
    }

    /// Waits while there is a pause; false at the end.
    func mayGoOn() async -> Bool {
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state in
                if state.isPaused { state.waiting.append(continuation) }
                return state.isPaused
            }
            if !waits { continuation.resume() }
        }
        return state.withLock { !$0.isStopped }
    }

    func acknowledge(_ id: Int64) { state.withLock { _ = $0.acknowledged.insert(id) } }

    func fail(_ error: any Error) { state.withLock { $0.failure = error } }

    /// Waits until that many more were acknowledged.
    func more(than count: Int) async throws {
        let goal = acknowledged.count + count
        while true {
            let (known, failure) = state.withLock { ($0.acknowledged.count, $0.failure) }
            if let failure { throw failure }
            if known >= goal { return }
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}
