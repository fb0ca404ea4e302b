// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Glibc
import PostgreSQLServer
import SeededRandom
import Testing

/// The host is killed at random instants while many write, and started again on what is left.
@Suite(.serialized) struct KillTests {
    @Test func whatSQLiteAcknowledgedSurvivesKills() async throws {
        try await KillLoop(.sqlite, .killsOfSQLite).run()
    }

    @Test func whatPostgreSQLAcknowledgedSurvivesKills() async throws {
        let server = try await PostgreSQLServer.shared()
        try await KillLoop(.postgreSQL(server), .killsOfPostgreSQL).run()
    }
}

/// Starts, loads and kills one deployment over and over.
struct KillLoop {
    private let engine: FaultEngine
    private let part: FaultPlan.Part
    private let plan = FaultPlan.current
    private let writers = 12

    init(_ engine: FaultEngine, _ part: FaultPlan.Part) {
        self.engine = engine
        self.part = part
    }

    func run() async throws {
        let http = JournalClient.makeHTTP()
        do {
            try await run(JournalWriters(writers, http: http), http)
        } catch {
            try await http.shutdown()
            throw error
        }
        try await http.shutdown()
    }

    private func run(_ load: JournalWriters, _ http: HTTPClient) async throws {
        let deployment = try TemporaryFolder(engine.deployment)
        let folder = try TemporaryFolder()
        var dice = SeededGenerator(seed: plan.seed)
        var progress = FaultProgress(part)
        var kills = 0
        var last: String?
        while kills < plan.kills || progress.goesOn {
            progress.tell("\(kills) kills, \(load.knowledge.acknowledged.count) acknowledged")
            if Int.random(in: 0..<6, using: &dice) == 0 {
                // Beside those under load, which count.
                try await crashWhileStarting(deployment, folder, Int.random(in: 0...900, using: &dice))
                continue
            }
            let server = try await ServerProcess.start(
                deployment.root, folder: folder, environment: engine.environment)
            if let last {
                let client = JournalClient(url: server.url, http: http)
                try await JournalVerdict(knowledge: load.knowledge, client: client).checkEntries(ofPrefix: last)
            }
            let prefix = "r" + String(kills + 10_000)
            let moment = Int.random(in: 5...400, using: &dice)
            async let writing: Void = load.run(on: server.url, prefix: prefix, until: Gate())
            try await Task.sleep(for: .milliseconds(moment))
            try await server.crash()
            try await writing
            last = prefix
            kills += 1
        }
        let server = try await ServerProcess.start(
            deployment.root, folder: folder, environment: engine.environment)
        let client = JournalClient(url: server.url, http: http)
        let verdict = JournalVerdict(knowledge: load.knowledge, client: client)
        let stored = try await verdict.checkAll()
        try await verdict.checkAnswers(&dice)
        try await server.stop()
        let verified = try await theatre(
            ["storage", "verify"] + ServerProcess.options(deployment.root, nil) + ["--state", folder.path("state")],
            environment: engine.environment)
        #expect(verified.status == 0, "\(verified.output)")
        let known = load.knowledge
        #expect(known.acknowledged.count > kills * 5, "too little was written to prove anything")
        progress.end(
            "\(kills) kills: \(known.sent.count) sent, \(known.acknowledged.count) acknowledged, \(stored) stored, "
                + "\(known.replays) answers replayed, to come again: \(known.refusals)")
    }

    private func crashWhileStarting(_ deployment: TemporaryFolder, _ folder: TemporaryFolder, _ moment: Int)
        async throws
    {
        let child = try ChildProcess(
            ["serve"] + ServerProcess.options(deployment.root, nil) + ["--state", folder.path("state"), "--port", "0"],
            output: folder.path("log"), ready: nil, environment: engine.environment)
        try await Task.sleep(for: .milliseconds(moment))
        child.kill(SIGKILL)
        _ = try await child.end(seconds: 60)
    }
}
