// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import PostgreSQLServer
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import PostgreSQL

/// The plugin as its callers see it: through the seam, by the SDK's database.
struct PostgreSQLPluginTests {
    let host = TestHost()
    let instance: TestInstance

    init() async throws {
        let server = try await PostgreSQLServer.shared()
        let database = try await server.makeDatabase()
        host.serve("theatre.host.v1.Secrets/Lease") { (request: HostLeaseRequest, _) in
            HostLeaseResponse.with { $0.value = Data(PostgreSQLServer.password.utf8) }
        }
        instance = try await host.install(
            PostgreSQL.self, manifest: .plugin("Storage/PostgreSQL"), instance: "postgresql",
            configuration: #"{"port": \#(server.port), "database": "\#(database)", "transaction_timeout_ms": 500}"#)
        host.route("storage", to: "postgresql", capability: "theatre.sql.v1.Database")
        host.route("maintenance", to: "postgresql", capability: "theatre.sql.v1.Maintenance")
        host.route("log", to: "postgresql", capability: "theatre.events.v1.Log")
    }

    private func database(tenant: String = "t1", context: (inout HostContext) -> Void = { _ in }) -> Database {
        let scope = host.scope(principal: "usr_1", tenant: tenant) {
            $0.publishes = "notes"
            context(&$0)
        }
        return Database(scope, feature: "storage")
    }

    private func migrate() async throws {
        try await database().migrate([
            Migration(
                "001-notes",
                """
                CREATE TABLE {notes} (tenant TEXT NOT NULL, id TEXT NOT NULL, body TEXT, at INTEGER NOT NULL,
                    open INTEGER NOT NULL DEFAULT 1, PRIMARY KEY (tenant, id));
                """)
        ])
    }

    @Test func whatIsWrittenIsReadByItsTenantOnly() async throws {
        try await migrate()
        let db = database()
        let id = "n1"
        let none: String? = nil
        let changed = try await db.write { tx in
            try await tx.run(
                "INSERT INTO {notes} (tenant, id, body, at) VALUES (:tenant, ?1, ?2, ?3)", expect: 1, id, none, 5)
            return try await tx.run("UPDATE {notes} SET body = ?1 WHERE tenant = :tenant", "汴京").changed
        }
        #expect(changed == 1)
        let rows = try await db.read("SELECT id, body, at, open FROM {notes} WHERE tenant = :tenant AND id = ?1", id)
        let row = try #require(rows.first)
        #expect(try row.text("id") == "n1" && row.text("body") == "汴京" && row.int("at") == 5 && row.bool("open"))
        #expect(try await database(tenant: "t2").read("SELECT id FROM {notes} WHERE tenant = :tenant").isEmpty)
    }

    @Test func aThrownErrorRollsBack() async throws {
        try await migrate()
        struct Changed: Error {}
        await #expect(throws: Changed.self) {
            try await database().write { tx in
                try await tx.run("INSERT INTO {notes} (tenant, id, at) VALUES (:tenant, 'x', 1)")
                throw Changed()
            }
        }
        #expect(try await database().read("/* tenants: all */ SELECT id FROM {notes}").isEmpty)
        try await database().commit {
            $0.run("INSERT INTO {notes} (tenant, id, at) VALUES (:tenant, 'y', 1)", expect: 1)
        }
        #expect(
            try await database().read("/* tenants: all */ SELECT id FROM {notes}").map { try $0.text("id") } == ["y"])
    }

    @Test func errorsArriveWithReasonAndPlace() async throws {
        try await migrate()
        let error = await #expect(throws: PluginError.self) {
            try await database().commit {
                $0.run("INSERT INTO {notes} (tenant, id, at) VALUES (:tenant, 'x', 1)")
                $0.run("INSERT INTO {notes} (tenant, id, at) VALUES (:tenant, 'x', 1)")
            }
        }
        #expect(error?.code == .alreadyExists && error?.reason == "sql.unique" && error?.detail == "/statements/1")
        let within = await #expect(throws: PluginError.self) {
            try await database().write { tx in
                try await tx.run("/* tenants: all */ UPDATE {notes} SET at = 1", expect: 3)
            }
        }
        #expect(within?.code == .aborted && within?.reason == "sql.expectation")
        let read = await #expect(throws: PluginError.self) { try await database().read("SELECT 1 FROM other__notes") }
        #expect(read?.code == .permissionDenied && read?.reason == "sql.foreign_table")
        let write = await #expect(throws: PluginError.self) {
            try await database().read("/* tenants: all */ DELETE FROM {notes}")
        }
        #expect(write?.reason == "sql.not_a_query")
    }

    @Test func answerEventAndAuditComeWithTheCommit() async throws {
        try await migrate()
        let db = database {
            $0.route = "POST /notes"
            $0.requestID = "req_1"
            $0.idempotencyKey = "key_1"
            $0.audit = "change"
            $0.answerRequired = true
        }
        let answer = HostFireRequest.with { $0.name = "answer" }
        try await db.write { tx in
            try await tx.run("INSERT INTO {notes} (tenant, id, at) VALUES (:tenant, 'x', 1)")
            tx.publish(type: "notes.written", aggregate: "x", data: #"{"id":"x"}"#, channel: "user:usr_1")
            try tx.answer(answer, status: 201)
        }
        let client = SQLDatabaseClient(host.scope(), feature: "storage")
        let found = try await client.findAnswer(
            .with {
                $0.tenant = "t1"
                $0.principal = "usr_1"
                $0.route = "POST /notes"
                $0.idempotencyKey = "key_1"
            })
        #expect(found.found && found.answer.status == 201)
        #expect(try HostFireRequest(serializedBytes: found.answer.payload) == answer)
        let again = await #expect(throws: PluginError.self) {
            try await db.commit {
                $0.run("INSERT INTO {notes} (tenant, id, at) VALUES (:tenant, 'z', 1)")
                try $0.answer(answer)
            }
        }
        #expect(again?.reason == "sql.answer_exists")
        let log = EventsLogClient(host.scope(), feature: "log")
        let events = try await log.read(
            .with {
                $0.limit = 10
                $0.waitMs = 20_000
            }
        ).events
        #expect(events.map(\.type) == ["notes.written"])
        #expect(events.first?.eventID.hasPrefix("evt_") == true && events.first?.tenant == "t1")
        #expect(try await database().read("/* tenants: all */ SELECT id FROM {notes}").count == 1)
    }

    @Test func anEventOfATypeThatIsNotGrantedKeepsTheWriteBack() async throws {
        try await migrate()
        let database = database { $0.publishes = "other,note" }
        await #expect {
            try await database.write { tx in
                try await tx.run("INSERT INTO {notes} (tenant, id, at) VALUES (:tenant, 'n', 0)")
                tx.publish(type: "notes.written", aggregate: "n", data: "{}")
            }
        } throws: { error in
            (error as? PluginError)?.reason == "sql.event_not_granted"
        }
        #expect(try await database.read("/* tenants: all */ SELECT id FROM {notes}").isEmpty)
    }

    @Test func aWaitingReaderIsWokenThroughTheSeam() async throws {
        let log = EventsLogClient(host.scope { $0.publishes = "notes" }, feature: "log")
        async let waiting = log.read(
            .with {
                $0.limit = 10
                $0.waitMs = 20_000
            })
        let event = EventsNewEvent.with {
            $0.type = "notes.written"
            $0.data = "{}"
        }
        _ = try await log.append(.with { $0.events = [event] })
        #expect(try await waiting.events.count == 1)
    }

    @Test func manyInteractiveWritersLoseNothing() async throws {
        try await migrate()
        try await database().commit { $0.run("INSERT INTO {notes} (tenant, id, at) VALUES (:tenant, 'n', 0)") }
        let written = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var written = 0
                    for _ in 0..<10 {
                        do {
                            try await database().write { tx in
                                let rows = try await tx.run(
                                    "SELECT at FROM {notes} WHERE tenant = :tenant AND id = 'n'")
                                let at = try rows[0].int("at")
                                try await tx.run("UPDATE {notes} SET at = ?1 WHERE tenant = :tenant", expect: 1, at + 1)
                            }
                            written += 1
                        } catch let error as PluginError where error.reason == "sql.serialization" {
                            // It gave up; nothing of it is stored.
                            #expect(error.retry == .safe && error.effect == .none)
                        }
                    }
                    return written
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(written > 0)
        #expect(try await database().read("/* tenants: all */ SELECT at FROM {notes}")[0].int("at") == Int64(written))
        #expect(host.violations.isEmpty)
    }

    @Test func theStatusNamesTheServerAndNoSecret() async throws {
        try await migrate()
        let client = SQLMaintenanceClient(host.scope(), feature: "maintenance")
        let status = try await client.status(.init())
        #expect(status.engine == "postgresql" && status.writable && status.version.hasPrefix("PostgreSQL 1"))
        #expect(status.namespaces.contains { $0.tables == 1 && $0.migrations == 1 })
        #expect(status.figures["roles_per_namespace"] == 1)
        #expect(!String(describing: status).contains(PostgreSQLServer.password))
        #expect(try await client.verify(.init()).findings.isEmpty)
        let error = await #expect(throws: PluginError.self) {
            for try await _ in try await client.backup(.with { $0.path = "/nowhere" }) {}
        }
        #expect(error?.reason == "sql.backup_elsewhere")
    }

    @Test func aHostThatIsNoneIsSaidBeforeAnythingConnects() async throws {
        let error = await #expect(throws: PluginError.self) {
            try await TestHost().install(
                PostgreSQL.self, manifest: .plugin("Storage/PostgreSQL"), instance: "postgresql",
                configuration: #"{"hosts": ["db1", "db2:99999"]}"#)
        }
        #expect(error?.reason == "postgresql.bad_host" && error?.detail == "/hosts/1")
    }
}
