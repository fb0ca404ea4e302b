// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import FoundationEssentials
import Testing
import TheatreManifest

/// Operators over HTTP, in the deployment that ships.
@Suite(.serialized) struct AdminTests {
    private static let path = "/api/v1/admin/plugins"

    private func appoint(_ operators: [String], in deployment: TemporaryFolder) throws {
        let names = operators.joined(separator: ", ")
        try deployment.write(
            "85-admin.yaml",
            "plugin: Admin\ninstance: admin\ngrants: {operate: true}\nconfig: {operators: [\(names)]}\n")
    }

    @Test func onlyOperatorsAreLetInAndEachChangeIsAuditedOnce() async throws {
        let deployment = try defaultDeployment([:])
        let server = try await ServerProcess.start(deployment.root)
        let person = try await Account.new(on: server)
        #expect(try await server.client.get(Self.path).status == 401)
        let refused = try await person.client.get(Self.path)
        #expect(refused.status == 403 && refused.text.contains("admin.not_an_operator"))
        try appoint([person.id], in: deployment)
        server.hangUp()
        let list = try await eventually("the operator is appointed") { () -> JSONValue? in
            let answer = try await person.client.get(Self.path)
            return answer.status == 200 ? try answer.json : nil
        }
        let names = list["instances"]?.array?.compactMap { $0["instance"]?.string } ?? []
        #expect(names.contains("ledger") && names.contains("admin"))

        let key = Account.key()
        let body = JSONValue.object(["reason": .string("it repeats itself")])
        for _ in 0..<2 {
            let closed = try await person.client.post("\(Self.path)/bianjing:disable", body, key: key)
            #expect(closed.status == 200, "\(closed.text)")
            #expect(try closed.json["state"]?.string == "DISABLED")
        }
        #expect(try audited(server).filter { $0 == "\(person.id) disable" }.count == 1)
        let opened = try await person.client.post("\(Self.path)/bianjing:enable", .object([:]), key: Account.key())
        #expect(try opened.json["generation"]?.integer == 2)

        // An operator may replace the very plugin that serves the request, and the storage below it.
        for instance in ["admin", "bianjing", "sqlite"] {
            let swapped = try await person.client.post(
                "\(Self.path)/\(instance):swap", .object([:]), key: Account.key())
            #expect(swapped.status == 200, "\(instance): \(swapped.text)")
        }
        let back = try await person.client.post("\(Self.path)/bianjing:rollback", .object([:]), key: Account.key())
        #expect(try back.json["to"]?.integer == 4)
        #expect(try await person.client.get("\(Self.path)/bianjing/logs?limit=5").status == 200)
        #expect(try await person.client.get("\(Self.path)/nobody").status == 404)
        #expect(try audited(server).filter { $0 == "\(person.id) swap" }.count == 3)
        #expect(try await person.chips() == 0)
        try await server.stop()
    }

    /// Principal and action of the audit rows of plugins.
    private func audited(_ server: ServerProcess) throws -> [String] {
        var connection: OpaquePointer?
        let path = server.folder.path("state/sqlite/theatre.db")
        guard sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK else {
            throw Unexpected("\(path) cannot be opened")
        }
        defer { sqlite3_close(connection) }
        var statement: OpaquePointer?
        let text =
            "SELECT principal || ' ' || action FROM host__audit WHERE resource = 'plugin' AND outcome = 'changed'"
        guard sqlite3_prepare_v2(connection, text, -1, &statement, nil) == SQLITE_OK else {
            throw Unexpected("the audit cannot be read: \(String(cString: sqlite3_errmsg(connection)))")
        }
        defer { sqlite3_finalize(statement) }
        var rows: [String] = []
        while sqlite3_step(statement) == SQLITE_ROW {
            if let column = sqlite3_column_text(statement, 0) { rows.append(String(cString: column)) }
        }
        return rows
    }
}
