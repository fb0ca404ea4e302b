// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Crypto
import FoundationEssentials
import PostgreSQLServer
import SeededRandom
import Testing
import TheatreManifest

/// Two hosts share one database; one or the other is killed at random instants while both are written to.
@Suite(.serialized) struct TwoHostsTests {
    @Test func whatTwoHostsShareSurvivesKillsOfEither() async throws {
        let server = try await PostgreSQLServer.shared()
        var engine = try await FaultEngine.postgreSQL(server)
        engine.workMilliseconds = 30
        let http = JournalClient.makeHTTP()
        do {
            try await TwoHosts(engine, FaultPlan.current, http).run()
        } catch {
            try await http.shutdown()
            throw error
        }
        try await http.shutdown()
    }

    /// Both find no file, and make the tables of the host and of the plugin.
    @Test func twoHostsThatStartAtOnceMigrateOneFileOnce() async throws {
        let http = JournalClient.makeHTTP()
        do {
            for round in 0..<3 { try await startTwo(round, http) }
        } catch {
            try await http.shutdown()
            throw error
        }
        try await http.shutdown()
    }

    private func startTwo(_ round: Int, _ http: HTTPClient) async throws {
        let shared = try TemporaryFolder()
        let deployment = try TemporaryFolder(FaultEngine.sqlite(at: shared.path("theatre.db")).deployment)
        let folders = [try TemporaryFolder(), try TemporaryFolder()]
        async let first = ServerProcess.start(deployment.root, folder: folders[0])
        async let second = ServerProcess.start(deployment.root, folder: folders[1])
        let hosts = try await [first, second]
        let clients = hosts.map { JournalClient(url: $0.url, http: http) }
        for (index, client) in clients.enumerated() {
            let draft = JournalDraft(id: "r\(round)-\(index)", aggregate: "shared", number: 0)
            try await eventually("\(draft.id) is stored") {
                if case .stored = await client.enter(draft) { true } else { nil }
            }
        }
        for client in clients {
            #expect(try await client.report("entries").map { $0[0] }.sorted() == ["r\(round)-0", "r\(round)-1"])
        }
        for host in hosts { try await host.stop() }
    }
}

/// One deployment, run twice.
private struct TwoHosts {
    /// Writers of each host.
    private static let writers = 6
    /// The lease of the fixture's queue, and how long another host may take to look for what ran out and to begin it.
    private static let lease = Duration.milliseconds(2000)
    private static let slack = Duration.milliseconds(4000)

    /// A host that runs and those who write to it.
    private struct Running {
        let server: ServerProcess
        let writing: Task<Void, any Error>
    }

    private let engine: FaultEngine
    private let plan: FaultPlan
    private let http: HTTPClient
    private let deployment: TemporaryFolder
    private let folders: [TemporaryFolder]
    private let load: JournalWriters
    private let isOver = Gate()

    init(_ engine: FaultEngine, _ plan: FaultPlan, _ http: HTTPClient) throws {
        (self.engine, self.plan, self.http) = (engine, plan, http)
        deployment = try TemporaryFolder(engine.deployment)
        folders = [try TemporaryFolder(), try TemporaryFolder()]
        // Both sign the audit log, with one key.
        let signing = try SigningKey.jwk(P256.Signing.PrivateKey())
        for folder in folders { try folder.writeKey("audit/0001.jwk", signing) }
        // Slower than one host can work off, so that what is taken over does not wait behind what is new.
        load = JournalWriters(2 * Self.writers, pace: .milliseconds(150), http: http)
    }

    func run() async throws {
        var dice = SeededGenerator(seed: plan.seed)
        var progress = FaultProgress(.killsOfTwo, plan)
        var hosts = [try await start(0, "a10000"), try await start(1, "b10000")]
        var (kills, moved, longest) = (0, 0, Duration.zero)
        // A kill may meet nothing that runs; then there is another.
        while kills < plan.killsOfTwo || progress.goesOn || (moved == 0 && kills < 40) {
            progress.tell("\(kills) kills, \(load.knowledge.acknowledged.count) acknowledged")
            let victim = Int.random(in: 0...1, using: &dice)
            let prefix = ["a", "b"][victim] + String(kills + 10_001)
            try await load.awaitAcknowledged(10)
            try await Task.sleep(for: .milliseconds(Int.random(in: 5...600, using: &dice)))
            try await hosts[victim].server.crash()
            try await hosts[victim].writing.value
            // The other one goes on all the while, and takes up what was begun there.
            if kills.isMultiple(of: 2) || Bool.random(using: &dice) {
                let took = try await takeOver(from: hosts[victim].server, by: hosts[1 - victim].server)
                longest = max(longest, took.time)
                moved += took.jobs
            }
            try await load.awaitAcknowledged(10)
            hosts[victim] = try await start(victim, prefix)
            kills += 1
        }
        try await load.awaitAcknowledged(10)
        isOver.open()
        for host in hosts { try await host.writing.value }
        try await verify(hosts.map(\.server), &dice)
        let known = load.knowledge
        #expect(known.acknowledged.count > kills * 15 && moved > 0, "too little was done to prove anything")
        progress.end(
            "\(kills) kills: \(known.sent.count) sent, \(known.acknowledged.count) acknowledged, "
                + "\(moved) runs that were cut off began again elsewhere, within \(longest) at the most, "
                + "\(known.replays) answers replayed, to come again: \(known.refusals)")
    }

    private func start(_ index: Int, _ prefix: String) async throws -> Running {
        let server = try await ServerProcess.start(
            deployment.root, folder: folders[index], environment: engine.environment)
        let writers = index * Self.writers..<(index + 1) * Self.writers
        let (load, isOver) = (load, isOver)
        return Running(
            server: server,
            writing: Task { try await load.run(on: server.url, prefix: prefix, writers: writers, until: isOver) })
    }

    /// Waits until every run that was cut off has begun again; it has to be soon after its lease ran out.
    private func takeOver(from killed: ServerProcess, by other: ServerProcess) async throws
        -> (jobs: Int, time: Duration)
    {
        let clock = ContinuousClock()
        let began = clock.now
        let client = JournalClient(url: other.url, http: http)
        var jobs: Int?
        while true {
            let orphans = try await client.report("orphans", after: String(killed.pid), isPaged: false)
            jobs = jobs ?? orphans.count
            let time = clock.now - began
            if orphans.isEmpty { return (jobs ?? 0, jobs == 0 ? .zero : time) }
            guard time < Self.lease + Self.slack else {
                let counts = try await client.report("counts", isPaged: false)
                throw Unexpected(
                    "not within \(time) of their host's end began again: \(orphans.prefix(5)), of \(counts)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func verify(_ servers: [ServerProcess], _ dice: inout SeededGenerator) async throws {
        for server in servers {
            let verdict = JournalVerdict(
                knowledge: load.knowledge, client: JournalClient(url: server.url, http: http))
            try await verdict.checkAll()
            // Also what the other one had answered.
            try await verdict.checkAnswers(&dice)
        }
        for server in servers { try await server.stop() }
        let audit = try await theatre(
            ["audit", "verify", "--json", "--state", folders[0].path("state")]
                + ServerProcess.options(deployment.root, nil), environment: engine.environment)
        let proved = try JSONValue(json: Data(audit.output.utf8))
        #expect(proved["intact"]?.bool == true && proved["unsealed"]?.integer == 0, "\(audit.output)")
        let rows = proved["rows"]?.integer ?? 0
        #expect(rows >= load.knowledge.acknowledged.count, "\(rows) rows of the audit log")
    }
}
