// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PostgreSQLServer
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import PostgreSQL

/// Who waits is woken by the server's notice: these engines look by themselves every ten minutes only, and each wait
/// ends long before.
struct NotificationTests {
    let fixture: EngineFixture
    let other: Engine
    let host: CallerScope
    let queue: RenderQueue

    init() async throws {
        fixture = try await EngineFixture { $0.pollMilliseconds = 600_000 }
        other = try await EngineFixture.open(fixture.server, fixture.database) { $0.pollMilliseconds = 600_000 }
        host = try fixture.scope("host")
        queue = try RenderQueue(fixture)
    }

    /// The next events after `place`, waited for; where there are none, none came in half a minute.
    private func read(_ engine: Engine, after place: Int64) async throws -> EventsReadResponse {
        try await engine.read(
            .with {
                $0.after = place
                $0.limit = 10
                $0.waitMs = 30_000
            }, for: host)
    }

    private func publish(_ engine: Engine, _ aggregate: String) async throws {
        _ = try await engine.append(.with { $0.events = [event("run.made", aggregate)] }, for: queue.shop)
    }

    /// The next job, waited for; one that only the look at the end of the wait finds is none.
    private func lease(_ engine: Engine) async throws -> [JobsJob] {
        let begun = monotonicMilliseconds()
        let jobs = try await queue.lease(engine, "w", limit: 1, wait: 30_000)
        return monotonicMilliseconds() - begun < 29_000 ? jobs : []
    }

    /// Runs `body` beside a wait that is under way: it has looked, found nothing, and waits.
    private func whileWaiting<Output: Sendable>(
        _ wait: @escaping @Sendable () async throws -> Output, _ body: () async throws -> Void
    ) async throws -> Output {
        async let waited = wait()
        // A look of it comes through the same pool before the next call does; what is missed all the same is read at once.
        for _ in 0..<20 { _ = try await other.jobStats() }
        try await body()
        return try await waited
    }

    @Test func anEventOfAnotherHostWakesAReader() async throws {
        var place: Int64 = 0
        for number in 0..<5 {
            let after = place
            let response = try await whileWaiting({ try await read(other, after: after) }) {
                try await publish(fixture.engine, "a\(number)")
            }
            #expect(response.events.map(\.aggregate) == ["a\(number)"])
            place = response.head
        }
        other.close()
    }

    @Test func aJobOfAnotherHostWakesAWorker() async throws {
        for number in 0..<5 {
            let jobs = try await whileWaiting({ try await lease(other) }) {
                try await queue.enqueue([RenderQueue.job("k\(number)")], on: fixture.engine)
            }
            #expect(jobs.map(\.kind) == ["k\(number)"])
        }
        other.close()
    }

    /// Ends every connection that listens; returns once both engines listen again.
    private func loseListeners() async throws {
        let listening = """
            SELECT pid FROM pg_stat_activity WHERE datname = '\(fixture.database)' AND pid IN (\(try await followers()))
            """
        try await fixture.server.sql("SELECT pg_terminate_backend(pid) FROM (\(listening)) AS lost")
    }

    /// The connections that follow the log: theirs is the look that asks for the oldest transaction.
    private func followers() async throws -> String {
        let found = try await fixture.server.sql(
            """
            SELECT pid FROM pg_stat_activity WHERE datname = '\(fixture.database)'
            AND (strpos(query, 'pg_snapshot_xmin') > 0 OR strpos(query, 'pg_notify') > 0 OR starts_with(query, 'LISTEN'))
            """)
        return found.isEmpty ? "-1" : found.split(separator: "\n").joined(separator: ", ")
    }

    /// What came while nobody listened is found when somebody does again, and notices are heard from then on.
    @Test func aListenerThatIsLostListensAgain() async throws {
        try await publish(fixture.engine, "before")
        let first = try await read(other, after: 0)
        #expect(first.events.map(\.aggregate) == ["before"])
        let before = try await followers()
        #expect(before.split(separator: ",").count == 2)
        try await loseListeners()
        try await publish(fixture.engine, "lost")
        try await queue.enqueue([RenderQueue.job("lost")], on: fixture.engine)
        let second = try await read(other, after: first.head)
        #expect(second.events.map(\.aggregate) == ["lost"])
        #expect(try await lease(other).map(\.kind) == ["lost"])
        let now = try await followers().split(separator: ", ")
        #expect(Set(now).isDisjoint(with: before.split(separator: ", ")))
        let third = try await whileWaiting({ try await read(other, after: second.head) }) {
            try await publish(fixture.engine, "again")
        }
        #expect(third.events.map(\.aggregate) == ["again"])
        let jobs = try await whileWaiting({ try await lease(other) }) {
            try await queue.enqueue([RenderQueue.job("again")], on: fixture.engine)
        }
        #expect(jobs.map(\.kind) == ["again"])
        other.close()
    }

    /// Without notices, as behind a proxy, what is looked at now and then comes too.
    @Test func whereNobodyListensALookFindsIt() async throws {
        let deaf = try await EngineFixture.open(fixture.server, fixture.database) {
            $0.server.prepares = false
            $0.pollMilliseconds = 50
        }
        let response = try await whileWaiting({ try await read(deaf, after: 0) }) {
            try await publish(fixture.engine, "a")
        }
        #expect(response.events.map(\.aggregate) == ["a"])
        let jobs = try await whileWaiting({ try await lease(deaf) }) {
            try await queue.enqueue([RenderQueue.job("k")], on: fixture.engine)
        }
        #expect(jobs.map(\.kind) == ["k"])
        deaf.close()
        other.close()
    }
}
