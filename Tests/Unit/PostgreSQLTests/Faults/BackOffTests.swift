// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PostgreSQLServer
import Testing
import TheatreContracts
import TheatreStorage

@testable import PostgreSQL

/// A server that refuses connections is dialled less and less often, and used as soon as it is back.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct BackOffTests {
    private func until(_ isSo: () -> Bool) async throws {
        while !isSo() { try await Task.sleep(for: .milliseconds(2)) }
    }

    @Test func attemptsThinOutHoweverManyWaitAndAllAreServedOnceItIsBack() async throws {
        let server = try await PostgreSQLServer.start()
        let fixture = try await EngineFixture(server: server) {
            $0.pool.size = 8
            $0.pool.waitMilliseconds = 300_000
        }
        let pool = fixture.engine.pool
        try await fixture.migrate("counter", entriesTable)
        try await server.stop()
        try await until { pool.figures.open == 0 }
        let (before, begun) = (pool.figures.failures, ContinuousClock.now)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<32 { group.addTask { try await fixture.query("counter", "SELECT 1").count } }
            // Eight dials at once, as nobody knows yet; then one at a time, after half of 50, 100, 200, 400, 800, 1600 and
            // twice 2000 ms at the least, whatever the machine does.
            try await until { pool.figures.failures >= before + 16 }
            #expect(ContinuousClock.now - begun >= .milliseconds(3500))
            #expect(pool.figures.waiting == 32, "they wait all the same")
            try await server.restart()
            #expect(try await group.reduce(0, +) == 32)
        }
        #expect(pool.figures.waiting == 0 && pool.figures.lastError == nil)
        try await fixture.commit("counter", "INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 1)")
        fixture.engine.close()
        try await server.stop()
    }
}
