// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreManifest

/// Secrets and keys that are not there: the instance they are granted to is closed with the reason, the rest serves.
@Suite(.serialized) struct GrantedValueTests {
    private static let needy =
        "plugin: NeedsSecret\ninstance: bad\ngrants:\n  secrets:\n    token: {from: \"file:bad_token\"}\n"

    /// What an instance is granted that is not there, and what is said of it, with `STATE` for the state folder.
    struct Missing: Sendable, CustomTestStringConvertible {
        let name: String
        let file: String
        let state: [String: String]
        let message: String
        var testDescription: String { name }
    }

    private static let missing = [
        Missing(
            name: "file", file: needy, state: [:],
            message:
                "bad (NeedsSecret): secrets.missing: expected the secret \"token\" from file:bad_token, found Secret "
                + "file bad_token in the secrets folder cannot be opened: No such file or directory.; fix: put the "
                + "secret into STATE/secrets/bad_token, mode 0600, and reload, or name another under grants.secrets"),
        Missing(
            name: "environment", file: needy.replacing("file:bad_token", with: "env:THEATRE_TEST_ABSENT"), state: [:],
            message: "bad (NeedsSecret): secrets.missing: expected the secret \"token\" from env:THEATRE_TEST_ABSENT, "
                + "found Environment variable THEATRE_TEST_ABSENT is not set; set it and restart.; fix: set the "
                + "variable in the host's environment and start it again, or name another under grants.secrets"),
        Missing(
            name: "key", file: needy + "  keys: {signing: {key: odd}}\n",
            state: ["secrets/bad_token": "hunter2", "keys/odd/0001.jwk": "hunter3"],
            message:
                "bad (NeedsSecret): keys.malformed: expected the key \"signing\", ES256, in STATE/keys/odd, found A "
                + "file of key odd is no private JWK, or no whsec_ line where its name ends in .whsec.; fix: correct or "
                + "remove the file, or name another key under grants.keys"),
    ]

    @Test(arguments: missing) func theInstanceIsClosedAndTheRestServes(_ bad: Missing) async throws {
        let folder = try Self.folder(bad.state)
        let message = bad.message.replacing("STATE", with: folder.path("state"))
        let deployment = try TemporaryFolder(BadPluginTests.sound.merging(["50-bad.yaml": bad.file]) { $1 })
        let server = try await ServerProcess.start(deployment.root, folder: folder)
        #expect(server.instance("bad")?["state"]?.string == "QUARANTINED")
        #expect(server.instance("bad")?["reason"]?.string == message)
        let closed = try await server.client.get("/fixtures/needs-secret")
        #expect(closed.status == 503)
        #expect(try closed.json["message"]?.string?.contains(message) == true)
        #expect(try await server.client.get("/fixtures/good").text == "served")
        #expect(!server.output.contains("hunter"))
        try await server.stop()
    }

    @Test(arguments: missing) func aCriticalInstanceStopsTheStart(_ bad: Missing) async throws {
        let folder = try Self.folder(bad.state)
        let message = bad.message.replacing("STATE", with: folder.path("state"))
        let files = BadPluginTests.sound.merging(["50-bad.yaml": bad.file + "critical: true\n"]) { $1 }
        let deployment = try TemporaryFolder(files)
        let result = try await theatre(
            ["serve", "--state", folder.path("state"), "--port", "0"] + ServerProcess.options(deployment.root, nil))
        #expect(result.status == 1)
        #expect(result.output.contains(message), "\(result.output)")
    }

    @Test func aReloadBringsBackWhatWasMissingAndIsNotHeldUpByIt() async throws {
        let deployment = try TemporaryFolder(BadPluginTests.sound.merging(["50-bad.yaml": Self.needy]) { $1 })
        let server = try await ServerProcess.start(deployment.root)
        try deployment.write("60-better.yaml", "plugin: CompletesTwice\ninstance: better\n")
        try await hangUp(server, "plugins.d was read again")
        #expect(try await server.client.get("/fixtures/completes-twice").status == 200)
        #expect(try await server.client.get("/fixtures/needs-secret").status == 503)
        try Self.write("hunter2", server.folder.path("state/secrets/bad_token"))
        try await hangUp(server, "plugins.d was read again")
        #expect(try await server.client.get("/fixtures/needs-secret").text == "hunter2")
        try await server.stop()
    }

    @Test func aReloadThatIsRefusedLeavesTheSecretsAsTheyWere() async throws {
        let folder = try Self.folder(["secrets/bad_token": "first"])
        let deployment = try TemporaryFolder(BadPluginTests.sound.merging(["50-bad.yaml": Self.needy]) { $1 })
        let server = try await ServerProcess.start(deployment.root, folder: folder)
        #expect(try await server.client.get("/fixtures/needs-secret").text == "first")
        try Self.write("second", folder.path("state/secrets/bad_token"))
        try deployment.write("60-worse.yaml", "plugin: ThrowsInCreate\ninstance: worse\n")
        try await hangUp(server, "plugins.d was not applied")
        #expect(try await server.client.get("/fixtures/needs-secret").text == "first")
        // A changed instance whose secret is missing is refused too, and says so.
        try deployment.remove("60-worse.yaml")
        try deployment.write("50-bad.yaml", Self.needy.replacing("bad_token", with: "absent"))
        try await hangUp(server, "plugins.d was not applied")
        #expect(server.output.contains("bad (NeedsSecret): secrets.missing"))
        #expect(try await server.client.get("/fixtures/needs-secret").text == "first")
        try deployment.write("50-bad.yaml", Self.needy)
        try await hangUp(server, "plugins.d was read again")
        #expect(try await server.client.get("/fixtures/needs-secret").text == "second")
        try await server.stop()
    }

    /// Has `plugins.d` read again, and waits until one line more says what came of it.
    private func hangUp(_ server: ServerProcess, _ line: String) async throws {
        let before = server.output.split(separator: line, omittingEmptySubsequences: false).count
        server.hangUp()
        try await eventually(line) {
            server.output.split(separator: line, omittingEmptySubsequences: false).count > before ? true : nil
        }
    }

    /// With files in its state.
    private static func folder(_ state: [String: String]) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for (name, text) in state { try write(text, folder.path("state/\(name)")) }
        return folder
    }

    /// A file that only its owner may read.
    private static func write(_ text: String, _ path: String) throws {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
}
