// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOHTTP1
import PostgreSQLServer
import Testing
import TheatreManifest

/// The audit log of a real server that is killed: chained, proved beside it and elsewhere, and changed by nobody unseen.
@Suite(.serialized) struct AuditCommandTests {
    @Test(arguments: StorageEngine.allCases)
    func whatAKillLeavesIsProvedAndWhatIsChangedIsFound(_ engine: StorageEngine) async throws {
        let desk = try await OperatorDesk(engine)
        let server = try await desk.serve()
        let person = try await Account.new(on: server)
        _ = try await person.buy(100)
        try await server.crash()
        #expect(try await desk.json("audit verify")["intact"]?.bool == true)

        let second = try await desk.serve()
        let again = try await Account.signIn(on: second, person.email, person.password)
        _ = try await again.buy(100)
        try await look(as: again, on: second, desk)
        // A stop seals and signs what is there.
        try await second.stop()
        let proved = try await desk.json("audit verify")
        #expect(proved["intact"]?.bool == true, "\(proved)")
        #expect(proved["unsealed"]?.integer == 0 && proved["unchecked"]?.integer == 0, "\(proved)")
        #expect((proved["checkpoints"]?.integer ?? 0) > 0 && (proved["rows"]?.integer ?? 0) > 4, "\(proved)")
        try await checkRows(desk, person)

        // Elsewhere nothing is needed but the export and the key.
        let (export, key) = (desk.folder.path("export.jsonl"), desk.folder.path("audit.jwks"))
        try await Data(desk.run("audit key").utf8).write(to: URL(filePath: key))
        try await desk.run("audit export \(export)")
        #expect(try await elsewhere([export, "--key", key]).status == 0)
        #expect(try await elsewhere([export]).status != 0)
        #expect(try await desk.run("audit list --action export").contains("theatre audit export"))
        try await tamper(
            "UPDATE host__audit SET principal = 'usr_else' WHERE seq = 2 AND tenant = 'default'", desk, engine)
        let changed = try await desk.json("audit verify", status: 1)
        let finding = changed["findings"]?.array?.first
        #expect(finding?["code"]?.string == "audit.row_changed" && finding?["seq"]?.integer == 2, "\(changed)")
        #expect(try await elsewhere([export, "--key", key]).status == 0)
        var lines = try String(contentsOf: URL(filePath: export), encoding: .utf8).split(separator: "\n")
        let row = try #require(lines.lastIndex { $0.hasPrefix("{\"row\":") })
        lines.remove(at: row)
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: export))
        let cut = try await elsewhere([export, "--key", key])
        #expect(cut.status == 1 && cut.output.contains("audit.row_missing"), "\(cut.output)")
    }

    /// Over HTTP: for operators alone.
    private func look(as person: Account, on server: ServerProcess, _ desk: OperatorDesk) async throws {
        let logs = "/api/v1/auth/audit/logs"
        #expect(try await person.client.get(logs).status == 403)
        try desk.deployment.write(
            "85-admin.yaml",
            "plugin: Admin\ninstance: admin\ngrants: {operate: true}\nconfig: {operators: [\(person.id)]}\n")
        server.hangUp()
        try await eventually("the operator is appointed") {
            try await person.client.get(logs).status == 200 ? true : nil
        }
        let found = try await eventually("what they did is sealed") { () -> [JSONValue]? in
            let answer = try await person.client.get("\(logs)?actor=\(person.id)&outcome=changed&limit=2")
            guard answer.status == 200 else { return nil }
            let records = try answer.json["records"]?.array ?? []
            return records.count == 2 && records.allSatisfy { ($0["seq"]?.integer ?? 0) > 0 } ? records : nil
        }
        #expect(found.allSatisfy { $0["actor"]?.string == person.id && $0["network"]?.string == "127.0.0.0/24" })
        let cursor = try await person.client.expect(200, .GET, "\(logs)?limit=1").text("/next_cursor")
        #expect(try await person.client.get("\(logs)?limit=1&cursor=\(cursor)").status == 200)
        #expect(try await person.client.get("\(logs)?cursor=x").status == 400)
        let verdict = try await person.client.get("\(logs):verify")
        #expect(verdict.status == 200, "\(verdict.text)")
        let isIntact = try verdict.json["intact"]?.bool
        #expect(isIntact == true, "\(verdict.text)")
    }

    /// The reload, the look and the refusal are rows; nobody's address or name is in one.
    private func checkRows(_ desk: OperatorDesk, _ person: Account) async throws {
        let rows = try await desk.json("audit list --limit 500").array ?? []
        let words = Set(rows.map { "\($0["action"]?.string ?? "") \($0["outcome"]?.string ?? "")" })
        #expect(words.isSuperset(of: ["reload changed", "search read", "verify read", "search refused"]), "\(words)")
        for row in rows {
            let text = String(decoding: try row.json(), as: UTF8.self)
            #expect(!text.contains("@") && !text.contains(person.email), "\(text)")
        }
    }

    /// A machine without the deployment.
    private func elsewhere(_ arguments: [String]) async throws -> (status: Int32, output: String) {
        let result = try await theatre(["audit", "verify"] + arguments)
        return (result.status, result.output)
    }

    private func tamper(_ sql: String, _ desk: OperatorDesk, _ engine: StorageEngine) async throws {
        switch engine {
        case .sqlite: _ = try PluginAudit.rows(in: desk.folder.path("state/sqlite/theatre.db"), sql)
        case .postgresql: _ = try await PluginAudit.run(sql, inServerOf: desk.deployment)
        }
    }
}
