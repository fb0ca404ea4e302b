// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreManifest

/// Operators over HTTP, in the deployment that ships.
@Suite(.serialized) struct AdminTests {
    private static let path = "/api/v1/admin/plugins"

    private func appoint(_ operators: [String], in deployment: TemporaryFolder) throws {
        try deployment.write("85-admin.yaml", Self.file(operators))
    }

    /// The declaration of Admin with these operators.
    private static func file(_ operators: [String]) -> String {
        let names = operators.joined(separator: ", ")
        return "plugin: Admin\ninstance: admin\ngrants: {operate: true}\nconfig: {operators: [\(names)]}\n"
    }

    /// A person whom a server has appointed.
    private func newOperator(on server: ServerProcess, _ deployment: TemporaryFolder) async throws -> Account {
        let person = try await Account.new(on: server)
        try appoint([person.id], in: deployment)
        server.hangUp()
        try await eventually("the operator is appointed") {
            try await person.client.get(Self.path).status == 200 ? true : nil
        }
        return person
    }

    @Test func anOperatorSeesWhatHoldsAnIsolatedInstance() async throws {
        let deployment = try defaultDeployment([
            "60-bianjing.yaml": try defaultFile("60-bianjing.yaml") + "mode: isolated\n"
        ])
        let server = try await ServerProcess.start(deployment.root)
        let person = try await Account.new(on: server)
        try appoint([person.id], in: deployment)
        server.hangUp()
        let shown = try await eventually("the operator is appointed") { () -> JSONValue? in
            let answer = try await person.client.get("\(Self.path)/bianjing")
            return answer.status == 200 ? try answer.json : nil
        }
        #expect(shown["facts"]?["sandbox"]?.string?.contains("no privileges") == true)
        #expect(shown["facts"]?["process"]?.string.flatMap { Int32($0) } != nil)
        let other = try await person.client.get("\(Self.path)/ledger")
        #expect(try other.json["facts"]?.object?.isEmpty == true)
        try await server.stop()
    }

    @Test(arguments: StorageEngine.allCases)
    func onlyOperatorsAreLetInAndEachChangeIsAuditedOnce(_ engine: StorageEngine) async throws {
        let (deployment, environment) = try await engine.deployment()
        let server = try await ServerProcess.start(deployment.root, environment: environment)
        func audited() async throws -> [String] {
            switch engine {
            case .sqlite: try PluginAudit.inFile(server)
            case .postgresql: try await PluginAudit.inServer(deployment)
            }
        }
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
        #expect(try await audited().filter { $0 == "\(person.id) disable" }.count == 1)
        let opened = try await person.client.post("\(Self.path)/bianjing:enable", .object([:]), key: Account.key())
        #expect(try opened.json["generation"]?.integer == 2)

        // An operator may replace the very plugin that serves the request, and the storage below it.
        for instance in ["admin", "bianjing", engine.rawValue] {
            let swapped = try await person.client.post(
                "\(Self.path)/\(instance):swap", .object([:]), key: Account.key())
            #expect(swapped.status == 200, "\(instance): \(swapped.text)")
        }
        let back = try await person.client.post("\(Self.path)/bianjing:rollback", .object([:]), key: Account.key())
        #expect(try back.json["to"]?.integer == 4)
        #expect(try await person.client.get("\(Self.path)/bianjing/logs?limit=5").status == 200)
        #expect(try await person.client.get("\(Self.path)/nobody").status == 404)
        #expect(try await audited().filter { $0 == "\(person.id) swap" }.count == 3)
        #expect(try await person.chips() == 0)
        try await server.stop()
    }

    /// The library of Edition again, of another version.
    private func library(_ version: String, at path: String) throws {
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(BuildFolder.path)/libEdition.so")))
        let (old, new) = (Array("1.0.0".utf8), Array(version.utf8))
        for start in bytes.indices.dropLast(old.count) where bytes[start] == old[0] && bytes[start + 2] == old[2] {
            if bytes[start..<start + old.count].elementsEqual(old) {
                bytes.replaceSubrange(start..<start + old.count, with: new)
            }
        }
        try Data(bytes).write(to: URL(filePath: path))
    }

    @Test func aSwapNamesALibraryInTheFoldersAloneAndTheLockHolds() async throws {
        let deployment = try defaultDeployment(["95-edition.yaml": "plugin: Edition\n"])
        let (installed, elsewhere) = (try TemporaryFolder(), try TemporaryFolder())
        let libraries = "\(installed.root):\(BuildFolder.path)"
        try library("1.0.1", at: installed.path("libEdition-1.0.1.so"))
        try library("1.0.2", at: elsewhere.path("libEdition-1.0.2.so"))
        try FileManager.default.createSymbolicLink(
            atPath: installed.path("link.so"), withDestinationPath: elsewhere.path("libEdition-1.0.2.so"))
        let server = try await ServerProcess.start(deployment.root, libraries: libraries)
        let person = try await newOperator(on: server, deployment)
        func swap(_ library: String) async throws -> (status: Int, body: JSONValue) {
            let answer = try await person.client.post(
                "\(Self.path)/edition:swap", .object(["library": .string(library)]), key: Account.key())
            return (answer.status, try answer.json)
        }
        // What is in none of the folders, however it is reached, and whether or not it is there.
        let up = "../\(elsewhere.root.split(separator: "/").last ?? "")/libEdition-1.0.2.so"
        for outside in [
            elsewhere.path("libEdition-1.0.2.so"), up, "link.so", "libNobody.so", "/etc/passwd", ".", "..",
            installed.root,
        ] {
            let refused = try await swap(outside)
            #expect(refused.status == 404, "\(outside): \(refused)")
            #expect(refused.body["details"]?["reason"]?.string == "plugins.unknown_library", "\(outside): \(refused)")
        }
        #expect(try await server.client.get("/fixtures/edition").text.hasPrefix("1 "))
        let swapped = try await swap("libEdition-1.0.1.so")
        #expect(swapped.status == 200, "\(swapped)")
        #expect(swapped.body["instance"]?["version"]?.string == "1.0.1")
        #expect(try await server.client.get("/fixtures/edition").text.hasPrefix("2 "))
        // Locked is the build in the folder: another is refused by this way too, what serves goes on.
        let lock = try await theatre(["plugins", "lock"] + ServerProcess.options(deployment.root, libraries))
        #expect(lock.status == 0, "\(lock.output)")
        try library("1.0.3", at: installed.path("libEdition-1.0.3.so"))
        let refused = try await swap("libEdition-1.0.3.so")
        #expect(refused.status == 422 && refused.body["details"]?["reason"]?.string == "trust.digest", "\(refused)")
        let command = try await server.plugins(
            ["swap", "edition", "--library", installed.path("libEdition-1.0.3.so")], status: 1)
        #expect(command.string?.contains("trust.digest") == true, "the command says the same: \(command)")
        #expect(try await server.client.get("/fixtures/edition").text.hasPrefix("2 "))
        let whole = try await swap("\(BuildFolder.path)/libEdition.so")
        #expect(whole.status == 200 && whole.body["instance"]?["version"]?.string == "1.0.0", "\(whole)")
        let rows = try PluginAudit.rows(
            of: server,
            "SELECT action || ' ' || instance || ' ' || library || ' ' || substr(digest, 1, 8) FROM admin__changes"
                + " ORDER BY at, id")
        let digests = [swapped, whole].map {
            String($0.body["instance"]?["running_digest"]?.string?.prefix(8) ?? "none")
        }
        #expect(
            rows == [
                "swap edition libEdition-1.0.1.so \(digests[0])",
                "swap edition \(BuildFolder.path)/libEdition.so \(digests[1])",
            ])
        #expect(try PluginAudit.inFile(server).filter { $0 == "\(person.id) swap" }.count == 2)
        try await server.stop()
    }

    /// What each change answers and leaves in the audit, by the command and over HTTP.
    @Test func everyChangeIsAnsweredAndAuditedWhicheverWayItCame() async throws {
        let deployment = try defaultDeployment([:])
        let server = try await ServerProcess.start(deployment.root)
        let person = try await newOperator(on: server, deployment)
        let steps = [
            ("disable", "DISABLED", 503), ("enable", "READY", 200), ("quarantine", "QUARANTINED", 503),
            ("release", "READY", 200),
        ]
        let keys: Set<String> = [
            "instance", "plugin", "version", "mode", "state", "generation", "reason", "critical", "capabilities",
            "running_digest", "configured_digest", "previous_digest", "disabled_by_operator", "mapped_builds", "facts",
        ]
        func check(_ answer: JSONValue, _ action: String, _ state: String, _ way: String) throws {
            let what: Comment = "\(way) \(action): \(answer)"
            #expect(Set(answer.object?.keys.map { $0 } ?? []) == keys, what)
            #expect(answer["instance"]?.string == "inbox" && answer["plugin"]?.string == "Inbox", what)
            #expect(answer["state"]?.string == state, what)
            #expect(answer["disabled_by_operator"]?.bool == (action == "disable"), what)
            #expect((answer["running_digest"]?.string?.count ?? 0) == (state == "READY" ? 64 : 0), what)
            let hasReason = ["disable", "quarantine"].contains(action)
            #expect((answer["reason"]?.string?.contains("it repeats itself") ?? false) == hasReason, what)
        }
        for (action, state, status) in steps {
            let why = ["disable", "quarantine"].contains(action) ? ["--reason", "it repeats itself"] : []
            try check(try await server.plugins([action, "inbox"] + why), action, state, "command")
            #expect(try await server.plugins(["show", "inbox"])["state"]?.string == state)
            #expect(try await person.client.get("/api/v1/me/inbox").status == status, "\(action)")
        }
        let critical = try await server.plugins(["disable", "sqlite"], status: 1)
        #expect(critical.string?.contains("plugins.critical") == true)
        for (action, state, status) in steps {
            let body: JSONValue =
                ["disable", "quarantine"].contains(action)
                ? .object(["reason": .string("it repeats itself")]) : .object([:])
            let answer = try await person.client.post("\(Self.path)/inbox:\(action)", body, key: Account.key())
            #expect(answer.status == 200, "\(answer.text)")
            try check(try answer.json, action, state, "HTTP")
            #expect(try await person.client.get("/api/v1/me/inbox").status == status, "\(action)")
        }
        let unknown = try await person.client.post("\(Self.path)/inbx:release", .object([:]), key: Account.key())
        #expect(unknown.status == 404)
        let actions = steps.map(\.0)
        let changes = try PluginAudit.rows(
            of: server, "SELECT action || ' ' || instance || ' ' || reason FROM admin__changes ORDER BY at, id")
        #expect(
            changes
                == actions.map {
                    "\($0) inbox \(["disable", "quarantine"].contains($0) ? "it repeats itself" : "")"
                })
        #expect(
            try PluginAudit.inFile(server).filter { $0.hasPrefix(person.id) } == actions.map { "\(person.id) \($0)" })
        // Rows that no commit carries are written in batches.
        let local = try await eventually("the command's rows are written") { () -> [String]? in
            let rows = try PluginAudit.rows(
                of: server,
                "SELECT route || ': ' || outcome || ' ' || reason FROM host__audit WHERE principal = 'svc:operator'"
                    + " AND resource = 'plugin' ORDER BY id")
            return rows.count >= 5 ? rows : nil
        }
        #expect(
            local == actions.map { "theatre plugins \($0) inbox: changed " } + [
                "theatre plugins disable sqlite: refused plugins.critical"
            ])
        try await server.stop()
    }
}
