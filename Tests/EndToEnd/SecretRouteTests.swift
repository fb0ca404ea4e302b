// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import NIOHTTP1
import Testing
import TheatreManifest

/// Stored secrets over HTTP: values go in for the deployment's admins, and no answer has one.
@Suite(.serialized) struct SecretRouteTests {
    private static let path = "/api/v1/admin/secrets"

    @Test(arguments: StorageEngine.allCases)
    func adminsPutSecretsAndNobodyReadsThem(_ engine: StorageEngine) async throws {
        let (deployment, environment) = try await engine.deployment()
        try deployment.write(
            "55-needs.yaml",
            "plugin: NeedsSecret\ninstance: needs\ngrants:\n  secrets:\n    token: {from: \"store:token\"}\n")
        let signing = P256.Signing.PrivateKey()
        let folder = try TemporaryFolder()
        try folder.writeKey("session/0001.jwk", SigningKey.jwk(signing))
        let server = try await ServerProcess.start(deployment.root, folder: folder, environment: environment)
        let person = try await Account.new(on: server)
        let admin = try person.admin(by: signing)
        let elsewhere = try person.admin(by: signing, tenant: "elsewhere")

        // Nobody else, whatever the route.
        for (client, status) in [(server.client, 401), (person.client, 403)] {
            #expect(try await client.get(Self.path).status == status)
            #expect(try await client.send(.PUT, "\(Self.path)/token", Self.value("x"), headers: []).status == status)
            #expect(try await client.send(.DELETE, "\(Self.path)/token", nil).status == status)
            #expect(try await client.post("\(Self.path):rewrap").status == status)
        }

        let canary = "a-value-of-\(UInt64.random(in: 0 ... .max))"
        let key = Account.key()
        var answers: [String] = []
        for _ in 0..<2 {
            let put = try await admin.send(
                .PUT, "\(Self.path)/token", Self.value(canary), headers: [("Idempotency-Key", key)])
            #expect(put.status == 200, "\(put.text)")
            #expect(try put.json["version"]?.integer == 1 && put.json["versions"]?.integer == 1, "\(put.text)")
            answers.append(put.text)
        }
        #expect(answers[0] == answers[1])
        let other = try await admin.send(
            .PUT, "\(Self.path)/token", Self.value("another"), headers: [("Idempotency-Key", key)])
        #expect(other.status == 409)
        try await eventually("the plugin has it\n\(server.output)") {
            try await server.client.get("/fixtures/needs-secret").text == canary ? true : nil
        }
        // Another tenant's are its own: the deployment reads none of them.
        _ = try await elsewhere.expect(200, .PUT, "\(Self.path)/token", Self.value("theirs"))
        let theirs = try await elsewhere.expect(200, .GET, Self.path)
        #expect(theirs["items"]?.array?.count == 1)
        _ = try await elsewhere.expect(200, .DELETE, "\(Self.path)/token")

        // Of somebody in particular, and many at once: no version is lost or given out twice.
        let owned = JSONValue.object([
            "value": .string("of the mailer"), "owner": .string("mailer"), "project": .string("prj_1"),
        ])
        _ = try await admin.expect(200, .PUT, "\(Self.path)/token", owned)
        let versions = try await withThrowingTaskGroup(of: Int64.self) { group in
            for index in 0..<3 {
                group.addTask {
                    let put = try await admin.expect(200, .PUT, "\(Self.path)/busy", Self.value("value \(index)"))
                    return put["version"]?.integer ?? 0
                }
            }
            var versions: Set<Int64> = []
            for try await version in group { versions.insert(version) }
            return versions
        }
        #expect(versions == [1, 2, 3])

        for (name, body, reason) in [
            (".hidden", Self.value("x"), "secrets.bad_name"), ("token", Self.value(""), "json.required"),
            ("token", .object(["value": .string("x"), "owner": .string("deployment")]), "secrets.bad_name"),
            ("token", .object(["value": .string("x"), "project": .string("prj_1")]), "secrets.bad_name"),
            ("token", .object([:]), "json.required"),
        ] {
            let refused = try await admin.send(.PUT, "\(Self.path)/\(name)", body)
            #expect(refused.status == 400 && refused.text.contains(reason), "\(reason): \(refused.text)")
        }

        let shown = try await admin.get("\(Self.path)/token")
        let listed = try await admin.get(Self.path)
        #expect(try shown.json["created_by"]?.string == "usr_admin", "\(shown.text)")
        let items = try listed.json["items"]?.array ?? []
        #expect(
            items.map { "\($0["owner"]?.string ?? "")/\($0["name"]?.string ?? "") \($0["versions"]?.integer ?? 0)" }
                == ["/busy 3", "/token 1", "mailer/token 1"], "\(listed.text)")

        // A second master key: the job wraps everything anew, with its audit rows.
        try await Self.addMasterKey(server)
        let rewrap = try await admin.expect(200, .POST, "\(Self.path):rewrap", .object([:]))
        // Five versions of secrets, and the key of the one person there is.
        #expect(rewrap["waiting"]?.integer == 6, "\(rewrap)")
        try await eventually("all are wrapped anew\n\(server.output)", seconds: 30) {
            let items = try await admin.expect(200, .GET, Self.path)["items"]?.array ?? []
            return items.allSatisfy { $0["key_version"]?.string == "2" } ? true : nil
        }
        let jobs = try await theatre(
            ["jobs", "list", "--owner", "host", "--json", "--state", server.folder.path("state")]
                + ServerProcess.options(deployment.root, nil), environment: environment)
        #expect(jobs.output.contains("secrets.rewrap"), "\(jobs.output)")
        try await eventually("nothing waits any more") {
            try await admin.expect(200, .POST, "\(Self.path):rewrap")["waiting"]?.integer == 0 ? true : nil
        }

        #expect(try await admin.expect(200, .DELETE, "\(Self.path)/token")["versions"]?.integer == 1)
        let gone = try await admin.get("\(Self.path)/token")
        #expect(gone.status == 404 && gone.text.contains("secrets.unknown"))
        try await eventually("the plugin has it no more") {
            try await server.client.get("/fixtures/needs-secret").text == "refused" ? true : nil
        }

        let search = try await admin.get("/api/v1/auth/audit/logs?limit=200&resource=secret:deployment/token")
        let changes = try search.json["records"]?.array?.compactMap { $0["action"]?.string } ?? []
        #expect(changes.sorted() == ["delete", "put", "rewrap"], "\(search.text)")
        let metrics = try await server.client.get("/metrics").text
        try await server.stop()
        for text in [shown.text, listed.text, metrics, server.output] + answers { #expect(!text.contains(canary)) }
    }

    private static func value(_ text: String) -> JSONValue { .object(["value": .string(text)]) }

    /// A second version in the keyring, which the host reads at a reload.
    private static func addMasterKey(_ server: ServerProcess) async throws {
        let keyring = server.folder.path("state/secrets/master.keys")
        let first = try String(contentsOf: URL(filePath: keyring), encoding: .utf8)
        let second = "2:\(Data((0..<32).map { UInt8($0 * 5 + 3) }).base64EncodedString())\n"
        try Data((first + second).utf8).write(to: URL(filePath: keyring))
        let before = server.output.components(of: "plugins.d was read again")
        server.hangUp()
        try await eventually("the keyring is read again") {
            server.output.components(of: "plugins.d was read again") > before ? true : nil
        }
    }
}

extension String {
    /// How often a text is in it.
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
