// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Runtime
import Staging
import SwiftProtobuf
import Testing
import TheatreContracts

/// The same library in the host's process, in one of its own, and behind a server: the same bytes, the same errors.
@Suite(.serialized) struct EquivalenceTests {
    /// An instance in each mode, of one name in fleets of their own, since messages name the instance.
    private func each(
        _ plugin: String, configuration: String = "{}", state: Bool = false, _ body: ([Stage], String) throws -> Void
    ) throws {
        try Stage.withFolder { folder in
            let server = try PluginProcess.serve(
                plugin, ["--listen", "unix:\(folder)/socket", "--plaintext", "--state", "\(folder)/elsewhere"])
            defer { server.end() }
            let name = plugin.lowercased()
            var stages: [Stage] = []
            defer { for stage in stages { stage.stop() } }
            for mode in [InstanceMode.inproc, .isolated, .remote] {
                var plan =
                    mode == .remote
                    ? try Stage.plan(plugin, name, at: server.address, configuration: configuration)
                    : try Stage.plan(plugin, name, mode, configuration: configuration)
                if state, mode != .remote {
                    plan.environment.stateFolder = "\(folder)/\(mode)"
                    try FileManager.default.createDirectory(
                        atPath: plan.environment.stateFolder, withIntermediateDirectories: true)
                }
                let stage = try Stage()
                stages.append(stage)
                try stage.start([plan])
            }
            try body(stages, name)
        }
    }

    /// Calls each; whether they answer the same, and what.
    private func same(
        _ stages: [Stage], _ name: String, _ operation: String, _ request: some Message
    ) throws -> Answer {
        try same(stages, name, operation, bytes: try request.serializedBytes())
    }

    private func same(_ stages: [Stage], _ name: String, _ operation: String, bytes: [UInt8]) throws -> Answer {
        let answers = try stages.map { try $0.call(name, operation, bytes) }
        for answer in answers.dropFirst() {
            #expect(answer.payload == answers[0].payload, "\(operation)")
            #expect(answer.error == answers[0].error, "\(operation)")
            #expect(answer.chunks == answers[0].chunks, "\(operation)")
        }
        return answers[0]
    }

    private func statement(_ sql: String, _ values: [SQLValue] = []) -> SQLStatement {
        .with {
            $0.sql = sql
            $0.parameters = values
        }
    }

    @Test func storageGivesTheSameRowsErrorsAndStreams() throws {
        try each("SQLite", state: true) { stages, name in
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
            #expect(try same(stages, name, "\(database)/Migrate", migration).error == nil)
            let insert = SQLCommitRequest.with { commit in
                commit.statements = (0..<400).map { number in
                    statement(
                        "/* tenants: all */ INSERT INTO {things} (tenant, id, body) VALUES ('t', ?1, ?2)",
                        [
                            .with { $0.integer = Int64(number) },
                            .with { $0.text = String(repeating: "戏台", count: 200 + number) },
                        ])
                }
            }
            #expect(try same(stages, name, "\(database)/Commit", insert).error == nil)
            #expect(try same(stages, name, "\(database)/Commit", insert).error?.reason == "sql.unique")
            let all = SQLQueryRequest.with {
                $0.statement = statement("/* tenants: all */ SELECT id, body FROM {things} ORDER BY id")
            }
            let stream = try same(stages, name, "\(database)/QueryStream", all)
            #expect(stream.error == nil)
            #expect(stream.chunks.reduce(0) { $0 + $1.count } > 4 * 65536, "more than the credit it began with")
            let wrong = SQLQueryRequest.with {
                $0.statement = statement("/* tenants: all */ SELECT nothing FROM {things}")
            }
            #expect(try same(stages, name, "\(database)/Query", wrong).error != nil)
            #expect(try same(stages, name, "\(database)/Query", bytes: [255, 255, 255]).error != nil)
        }
    }

    @Test func aStreamBothWaysIsAnsweredStepByStep() throws {
        try each("SQLite", state: true) { stages, name in
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
            let answers = try stages.map { try $0.converse(name, "\(database)/Transact", steps) }
            for answer in answers {
                #expect(answer.error == answers[0].error)
                #expect(answer.chunks == answers[0].chunks)
                #expect(answer.chunks.count >= steps.count, "\(String(describing: answer.error))")
            }
        }
    }

    @Test(arguments: ["Bianjing", "Baghdad", "PackInC"]) func aCulturePackSaysTheSame(_ pack: String) throws {
        try each(pack) { stages, name in
            for operation in ["Describe", "Validate", "Enrich", "Export"] {
                for payload in [[], [0x0a, 3, 0xe6, 0x88, 0x8f], Array("\u{1}\u{2}".utf8)] as [[UInt8]] {
                    _ = try same(stages, name, "theatre.culture.v1.Pack/\(operation)", bytes: payload)
                }
            }
        }
    }

    @Test func aChatIsStreamedTheSame() throws {
        try each("Offline") { stages, name in
            let request = ContentChatRequest.with {
                $0.messages = [
                    .with {
                        $0.role = .user
                        $0.text = String(repeating: "A lantern seller crosses the bridge at dusk. ", count: 40)
                    }
                ]
            }
            let whole = try same(stages, name, "theatre.content.v1.Chat/Complete", request)
            let stream = try same(stages, name, "theatre.content.v1.Chat/Stream", request)
            #expect(whole.error == nil || whole.error?.reason.isEmpty == false)
            #expect(stream.error != nil || !stream.chunks.isEmpty)
            let embed = ContentEmbedRequest.with { $0.texts = ["bridge", "lantern"] }
            #expect(try same(stages, name, "theatre.content.v1.Embedding/Embed", embed).error == nil)
        }
    }

    @Test func aRejectedCallFailsTheSame() throws {
        try each("Unruly") { stages, name in
            let reject = try same(stages, name, Stage.handle, bytes: Array("reject".utf8))
            #expect(reject.error?.reason == "plugin.rejected")
        }
    }
}
