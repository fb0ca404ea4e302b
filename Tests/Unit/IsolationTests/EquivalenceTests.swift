// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Runtime
import SwiftProtobuf
import Testing
import TheatreContracts

/// The same library in the host's process and in one of its own: the same bytes, the same errors.
@Suite(.serialized) struct EquivalenceTests {
    /// An instance in each mode.
    private func both(
        _ plugin: String, configuration: String = "{}", state: Bool = false, _ body: (Stage, [String]) throws -> Void
    ) throws {
        try Stage.withFolder { folder in
            let stage = try Stage()
            defer { stage.stop() }
            let plans = try [InstanceMode.inproc, .isolated].map { mode in
                var plan = try Stage.plan(plugin, "\(mode)", mode, configuration: configuration)
                if state {
                    plan.environment.stateFolder = "\(folder)/\(mode)"
                    try FileManager.default.createDirectory(
                        atPath: plan.environment.stateFolder, withIntermediateDirectories: true)
                }
                return plan
            }
            try stage.start(plans)
            try body(stage, plans.map(\.name))
        }
    }

    /// Calls both; whether they answer the same, and what.
    private func same(
        _ stage: Stage, _ names: [String], _ operation: String, _ request: some Message
    ) throws -> Answer {
        let payload: [UInt8] = try request.serializedBytes()
        let answers = try names.map { try stage.call($0, operation, payload) }
        #expect(answers[0].payload == answers[1].payload)
        #expect(answers[0].error == answers[1].error)
        #expect(answers[0].chunks == answers[1].chunks)
        return answers[1]
    }

    private func statement(_ sql: String, _ values: [SQLValue] = []) -> SQLStatement {
        .with {
            $0.sql = sql
            $0.parameters = values
        }
    }

    @Test func storageGivesTheSameRowsErrorsAndStreams() throws {
        try both("SQLite", state: true) { stage, names in
            let database = "theatre.sql.v1.Database"
            let migration = SQLMigrateRequest.with {
                $0.migrations = [
                    .with {
                        $0.name = "001-things"
                        $0.sql =
                            "CREATE TABLE {things} (tenant TEXT NOT NULL, id BIGINT NOT NULL, body TEXT NOT NULL, "
                            + "PRIMARY KEY (tenant, id));"
                    }
                ]
            }
            #expect(try same(stage, names, "\(database)/Migrate", migration).error == nil)
            let insert = SQLCommitRequest.with { commit in
                commit.statements = (0..<400).map { number in
                    statement(
                        "INSERT INTO {things} (tenant, id, body) VALUES ('t', ?1, ?2)",
                        [
                            .with { $0.integer = Int64(number) },
                            .with { $0.text = String(repeating: "戏台", count: 200 + number) },
                        ])
                }
            }
            #expect(try same(stage, names, "\(database)/Commit", insert).error == nil)
            #expect(try same(stage, names, "\(database)/Commit", insert).error?.reason == "sql.unique")
            let all = SQLQueryRequest.with { $0.statement = statement("SELECT id, body FROM {things} ORDER BY id") }
            let stream = try same(stage, names, "\(database)/QueryStream", all)
            #expect(stream.error == nil)
            #expect(stream.chunks.reduce(0) { $0 + $1.count } > 4 * 65536, "more than the credit it began with")
            let wrong = SQLQueryRequest.with { $0.statement = statement("SELECT nothing FROM {things}") }
            #expect(try same(stage, names, "\(database)/Query", wrong).error != nil)
            let garbage = try names.map { try stage.call($0, "\(database)/Query", [255, 255, 255]) }
            #expect(garbage[0] == garbage[1])
        }
    }

    @Test func aStreamBothWaysIsAnsweredStepByStep() throws {
        try both("SQLite", state: true) { stage, names in
            let database = "theatre.sql.v1.Database"
            let steps = try (0..<300).map { number -> [UInt8] in
                try SQLTransactRequest.with {
                    $0.statement = statement(
                        "SELECT ?1 AS number, ?2 AS text",
                        [
                            .with { $0.integer = Int64(number) },
                            .with { $0.text = String(repeating: "x", count: 1000) },
                        ])
                }.serializedBytes()
            }
            let answers = try names.map { try stage.converse($0, "\(database)/Transact", steps) }
            #expect(answers[0].error == answers[1].error)
            #expect(answers[0].chunks == answers[1].chunks)
            #expect(answers[1].chunks.count >= steps.count, "\(String(describing: answers[1].error))")
        }
    }

    @Test func aCulturePackSaysTheSame() throws {
        try both("Bianjing") { stage, names in
            for operation in ["Describe", "Validate", "Enrich", "Export"] {
                for payload in [[], [0x0a, 3, 0xe6, 0x88, 0x8f], Array("\u{1}\u{2}".utf8)] as [[UInt8]] {
                    let answers = try names.map { try stage.call($0, "theatre.culture.v1.Pack/\(operation)", payload) }
                    #expect(answers[0] == answers[1], "\(operation)")
                }
            }
        }
    }

    @Test func aRejectedCallFailsTheSame() throws {
        let stage = try Stage()
        defer { stage.stop() }
        // The same name in two fleets, since the message names the instance.
        try stage.start([try Stage.plan("Unruly", "unruly")])
        let other = try Stage()
        defer { other.stop() }
        try other.start([try Stage.plan("Unruly", "unruly", .inproc)])
        #expect(try stage.ask("unruly", "reject") == other.ask("unruly", "reject"))
        #expect(try stage.ask("unruly", "reject").error?.reason == "plugin.rejected")
    }

    @Test func theHostsClockIsThePlugins() throws {
        let stage = try Stage()
        defer { stage.stop() }
        try stage.start([try Stage.plan("Unruly", "unruly")])
        stage.clock.advance(nanoseconds: 3_600_000_000_000)
        let before = stage.clock.wall() / 1_000_000
        let told = try #require(UInt64(try stage.ask("unruly", "clock").text))
        #expect(told >= before && told <= stage.clock.wall() / 1_000_000 + 1)
    }
}
