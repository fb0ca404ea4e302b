// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import PostgreSQLServer
import Testing
import TheatreManifest

/// `theatre secrets` beside a running host, whose plugins have `store:NAME`; and where the values then are: nowhere.
@Suite(.serialized) struct StoredSecretTests {
    private static let files = [
        "00-host.yaml": "development: true\n",
        "10-sqlite.yaml": "plugin: SQLite\ninstance: sqlite\ncritical: true\ngrants: {state_folder: true}\n",
        "23-keyfile.yaml":
            "plugin: KeyFile\ninstance: keyfile\ngrants:\n  secrets:\n    keyring: {from: \"file:master.keys\"}\n",
        "50-needs.yaml":
            "plugin: NeedsSecret\ninstance: needs\ngrants:\n  secrets:\n    token: {from: \"store:token\"}\n",
    ]

    @Test(arguments: StorageEngine.allCases)
    func whatIsPutCountsWithoutARestartAndIsNowhereInTheOpen(_ engine: StorageEngine) async throws {
        let (deployment, environment) = try await engine.deployment()
        let needs = try #require(Self.files["50-needs.yaml"])
        try deployment.write("55-needs.yaml", needs)
        let server = try await ServerProcess.start(deployment.root, environment: environment)
        let secrets = { (arguments: [String]) in
            try await theatre(
                ["secrets"] + arguments + ["--state", server.folder.path("state")]
                    + ServerProcess.options(deployment.root, nil), environment: environment)
        }
        let state = server.folder.path("state")
        #expect(try await server.client.get("/fixtures/needs-secret").text == "refused")
        let canaries = ["canary-one-5f1d0c", "canary-two-9be7a3", "canary-three-c0ffee"]
        for (index, canary) in canaries.prefix(2).enumerated() {
            let put = try await secrets(
                ["put", "token", "--file", try file(canary, in: server.folder)])
            #expect(put.status == 0, "\(put.output)")
            #expect(put.output.contains("version \(index + 1) is stored"), "\(put.output)")
            // Once a second has passed.
            try await eventually("the new value") {
                try await server.client.get("/fixtures/needs-secret").text == canary ? true : nil
            }
        }

        // A new version of the master key: everything is wrapped anew, and the old version is not needed any more.
        let keyring = "\(state)/secrets/master.keys"
        let first = try String(contentsOf: URL(filePath: keyring), encoding: .utf8)
        let second = "2:\(Data((0..<32).map { UInt8($0 * 5 + 3) }).base64EncodedString())\n"
        try write(first + second, keyring)
        let dry = try await secrets(["rewrap", "--dry-run"])
        #expect(dry.output.contains("2 data keys to wrap by 2"), "\(dry.output)")
        let rewrap = try await secrets(["rewrap"])
        #expect(rewrap.output.contains("2 data keys wrapped by 2"), "\(rewrap.output)")
        #expect(try await secrets(["rewrap"]).output.contains("0 data keys"))
        try write(second, keyring)
        let third = try await secrets(
            ["put", "token", "--file", try file(canaries[2], in: server.folder)])
        #expect(third.output.contains("version 3"), "\(third.output)")
        server.hangUp()
        try await eventually("the value by the new key") {
            try await server.client.get("/fixtures/needs-secret").text == canaries[2] ? true : nil
        }

        // Lists and refusals hold no value; a backup holds none in the open.
        let said = [
            try await secrets(["list", "--json"]),
            try await secrets(["show", "token", "--json"]),
            try await secrets(["put", "no such name"]),
        ].map(\.output).joined()
        #expect(said.contains("\"version\":3") && said.contains("\"key_version\":\"2\""), "\(said)")
        if engine == .sqlite {
            let copied = try await theatre(
                ["storage", "backup", "\(state)/backup.db", "--state", state]
                    + ServerProcess.options(deployment.root, nil))
            #expect(copied.status == 0, "\(copied.output)")
        }
        let metrics = try await server.client.get("/metrics").text

        let deleted = try await secrets(["delete", "token"])
        #expect(deleted.output.contains("3 versions erased"), "\(deleted.output)")
        try await eventually("the refusal") {
            try await server.client.get("/fixtures/needs-secret").text == "refused" ? true : nil
        }
        try await server.stop()
        let tables = engine == .postgresql ? try await Self.tables(of: deployment) : ""
        for canary in canaries {
            for text in [said, metrics, server.output, tables] {
                #expect(!text.contains(canary) && !text.contains(Self.hex(canary)))
            }
            #expect(try Self.files(in: state, holding: canary) == [])
        }
        // The search finds what is there: the key that the keyring file has.
        let key = try #require(second.split(separator: ":").last).dropLast()
        #expect(try Self.files(in: state, holding: String(key)) == ["secrets/master.keys"])
    }

    /// Keys that anybody may know, with what is said of them.
    @Test(arguments: [Data(repeating: 0, count: 32), Data("change me before you go live, yes".utf8.prefix(32))])
    func aDefaultMasterKeyStopsTheStart(_ key: Data) async throws {
        var files = Self.files
        files["00-host.yaml"] = "development: false\n"
        files["23-keyfile.yaml"]? += "critical: true\n"
        let deployment = try TemporaryFolder(files)
        let state = deployment.path("state")
        try deployment.writeKey("audit/0001.jwk", Self.auditKey)
        try FileManager.default.createDirectory(atPath: "\(state)/secrets", withIntermediateDirectories: true)
        try write("1:\(key.base64EncodedString())\n", "\(state)/secrets/master.keys")
        let result = try await theatre(
            ["serve", "--state", state, "--port", "0"] + ServerProcess.options(deployment.root, nil))
        #expect(result.status == 1)
        #expect(result.output.contains("keysource.no_key"), "\(result.output)")
        #expect(!result.output.contains(key.base64EncodedString()))
    }

    @Test func outsideDevelopmentAMissingMasterKeyStopsTheStart() async throws {
        var files = Self.files
        files["00-host.yaml"] = "development: false\n"
        files["23-keyfile.yaml"]? += "critical: true\n"
        let deployment = try TemporaryFolder(files)
        let state = deployment.path("state")
        try deployment.writeKey("audit/0001.jwk", Self.auditKey)
        let result = try await theatre(
            ["serve", "--state", state, "--port", "0"] + ServerProcess.options(deployment.root, nil))
        #expect(result.status == 1)
        #expect(result.output.contains("keyfile (KeyFile): secrets.missing"), "\(result.output)")
        #expect(result.output.contains("put the secret into \(state)/secrets/master.keys, mode 0600"))
        #expect(!FileManager.default.fileExists(atPath: "\(state)/secrets/master.keys"))
    }

    /// The key of RFC 8037, appendix A: what signs the audit log is there.
    private static let auditKey =
        #"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","#
        + #""x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#

    /// Every stored secret and every audit row of them, as PostgreSQL shows them: bytes in hex.
    private static func tables(of deployment: TemporaryFolder) async throws -> String {
        let declared = try deployment.read("11-postgresql.yaml")
        let database = try #require(declared.firstMatch(of: /database: (\w+)/)).1
        let rows = try await PostgreSQLServer.shared().sql(
            """
            SET search_path = theatre_host;
            SELECT row::text FROM host__secrets AS row UNION ALL SELECT row::text FROM host__audit AS row
            """, in: String(database))
        #expect(rows.contains("token") && rows.contains("theatre secrets put"))
        return rows
    }

    private static func hex(_ text: String) -> String {
        text.utf8.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private func file(_ text: String, in folder: TemporaryFolder) throws -> String {
        let path = folder.path("value.txt")
        try write(text + "\n", path)
        return path
    }

    private func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    /// Files below a folder that hold the text in the open or in base 64.
    private static func files(in folder: String, holding text: String) throws -> [String] {
        let needles = [Data(text.utf8), Data(Data(text.utf8).base64EncodedString().utf8)]
        let all = try FileManager.default.subpathsOfDirectory(atPath: folder)
        return try all.filter { name in
            let path = "\(folder)/\(name)"
            guard (try? FileManager.default.attributesOfItem(atPath: path)[.type]) as? FileAttributeType == .typeRegular
            else { return false }
            let data = try Data(contentsOf: URL(filePath: path))
            return needles.contains { data.firstRange(of: $0) != nil }
        }
    }
}
