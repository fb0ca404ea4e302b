// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import PostgreSQLServer
import Testing

/// The database server goes while many write through the host, which stays.
@Suite(.serialized) struct ServerLossTests {
    @Test(arguments: [true, false]) func aRestartedServerHasAllThatWasAcknowledged(isKilled: Bool) async throws {
        let server = try await PostgreSQLServer.start(.init(isDurable: true))
        try await underLoad(.postgreSQL(server)) { load in
            try await load.awaitAcknowledged(100)
            if isKilled { try await server.kill() } else { try await server.stop() }
            try await load.awaitRefusals(10)
            try await server.restart()
            try await load.awaitAcknowledged(100)
        }
        try await server.stop()
    }

    @Test func aSynchronousStandbyTakesOverWithoutALoss() async throws {
        let primary = try await PostgreSQLServer.start(.init(isDurable: true))
        let standby = try await primary.makeStandby()
        try await underLoad(.postgreSQL(primary, standby)) { load in
            try await load.awaitAcknowledged(200)
            try await primary.kill()
            try await standby.promote()
            try await load.awaitAcknowledged(200)
        }
        try await standby.stop()
    }

    /// Writes all the while, then checks that all is there and that clients saw nothing but what may come again.
    private func underLoad(_ engine: FaultEngine, _ fault: @escaping @Sendable (JournalWriters) async throws -> Void)
        async throws
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
            #expect(known.broken == 0, "the host itself broke connections")
            print(
                "\(known.acknowledged.count) acknowledged, \(stored) stored, \(known.replays) answers replayed,",
                "to come again: \(known.refusals)")
            try await host.stop()
        } catch {
            try await http.shutdown()
            throw Unexpected("\(error)\nrefusals: \(load.knowledge.refusals)\n\(host.output.suffix(4000))")
        }
        try await http.shutdown()
    }
}
