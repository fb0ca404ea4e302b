// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import PostgreSQLServer
import SeededRandom
import Testing

/// The database server goes while many write through the host, which stays.
@Suite(.serialized) struct ServerLossTests {
    @Test(arguments: [true, false]) func aRestartedServerHasAllThatWasAcknowledged(isKilled: Bool) async throws {
        try await again { before, after in
            let server = try await PostgreSQLServer.start(.init(isDurable: true))
            let stored = try await underLoad(.postgreSQL(server)) { load in
                try await load.awaitAcknowledged(before)
                if isKilled { try await server.kill() } else { try await server.stop() }
                try await load.awaitRefusals(10)
                try await server.restart()
                try await load.awaitAcknowledged(after)
            }
            try await server.stop()
            return stored
        }
    }

    @Test func aSynchronousStandbyTakesOverWithoutALoss() async throws {
        try await again { before, after in
            let primary = try await PostgreSQLServer.start(.init(isDurable: true))
            let standby = try await primary.makeStandby()
            let stored = try await underLoad(.postgreSQL(primary, standby)) { load in
                try await load.awaitAcknowledged(before)
                try await primary.kill()
                try await standby.promote()
                try await load.awaitAcknowledged(after)
            }
            try await standby.stop()
            return stored
        }
    }

    /// Runs `body` once, and while there is time, with how much is acknowledged before and after the loss; it gives what
    /// was stored.
    private func again(_ body: (_ before: Int, _ after: Int) async throws -> Int) async throws {
        var progress = FaultProgress(.lostServers, dividedBy: 3)
        var dice = SeededGenerator(seed: FaultPlan.current.seed)
        var (losses, stored) = (0, 0)
        repeat {
            let (before, after) = (Int.random(in: 20...300, using: &dice), Int.random(in: 20...200, using: &dice))
            stored += try await body(before, after)
            losses += 1
            progress.tell("\(losses) times, \(stored) stored")
        } while progress.goesOn
        progress.end("\(losses) times, \(stored) stored")
    }

    /// Of the table that entries are written to; everything else of the server has room.
    @Test func aFullDiskOfTheServerIsSaidAndForgotten() async throws {
        let server = try await PostgreSQLServer.start()
        let engine = try await FaultEngine.postgreSQL(server)
        let deployment = try TemporaryFolder(engine.deployment)
        let host = try await ServerProcess.start(deployment.root, environment: engine.environment)
        let http = JournalClient.makeHTTP()
        let journal = JournalClient(url: host.url, http: http)
        func enter(_ id: String) async -> String {
            switch await journal.enter(JournalDraft(id: id, aggregate: "own", number: 0)) {
            case .stored: ""
            case .later(_, let reason): reason
            // Its connection ended with the old file.
            case let outcome: "\(outcome)"
            }
        }
        do {
            let table = "theatre_journal.journal__entries"
            try await server.takeRoom(from: table, in: engine.database)
            try await eventually("it is said to the client") { await enter("in") == "sql.full" ? true : nil }
            try await eventually("readyz says so", seconds: 60) { () -> Bool? in
                let answer = try await host.client.get("/readyz")
                return answer.status == 503 && answer.text.contains("sql.full") ? true : nil
            }
            #expect(try await host.client.get("/healthz").status == 200)
            try await server.giveRoom(to: table, in: engine.database)
            try await eventually("it is ready again", seconds: 60) {
                try await host.client.get("/readyz").status == 200 ? true : nil
            }
            try await eventually("it is stored") { await enter("in") == "" ? true : nil }
            try await host.stop()
        } catch {
            try await http.shutdown()
            throw Unexpected("\(error)\n\(host.output.suffix(4000))")
        }
        try await http.shutdown()
        try await server.stop()
    }

    /// Writes all the while, then checks that all is there and that clients saw nothing but what may come again.
    private func underLoad(_ engine: FaultEngine, _ fault: @escaping @Sendable (JournalWriters) async throws -> Void)
        async throws -> Int
    {
        let deployment = try TemporaryFolder(engine.deployment)
        let host = try await ServerProcess.start(deployment.root, environment: engine.environment)
        let http = JournalClient.makeHTTP()
        let load = JournalWriters(12, http: http)
        let isOver = Gate()
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await load.run(on: host.url, prefix: "e", until: isOver, outlives: true) }
                group.addTask {
                    defer { isOver.open() }
                    try await fault(load)
                }
                try await group.waitForAll()
            }
            let verdict = JournalVerdict(
                knowledge: load.knowledge, client: JournalClient(url: host.url, http: http))
            let stored = try await verdict.checkAll()
            let known = load.knowledge
            #expect(known.broken == [], "the host itself broke connections")
            print(
                "\(known.acknowledged.count) acknowledged, \(stored) stored, \(known.replays) answers replayed,",
                "to come again: \(known.refusals)")
            try await host.stop()
            try await http.shutdown()
            return stored
        } catch {
            try await http.shutdown()
            throw Unexpected("\(error)\nrefusals: \(load.knowledge.refusals)\n\(host.output.suffix(4000))")
        }
    }
}
