// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreManifest

/// What operators do to a running server with `theatre plugins`.
@Suite(.serialized) struct PluginOperationTests {
    private let deployment: TemporaryFolder

    init() throws { deployment = try TemporaryFolder(SwapTests.files) }

    private func plugins(
        _ arguments: [String], in folder: TemporaryFolder, status: Int32 = 0
    ) async throws -> CommandResult {
        let result = try await theatre(
            ["plugins"] + arguments + ServerProcess.options(deployment.root, nil) + ["--state", folder.path("state")])
        guard result.status == status else {
            throw Unexpected("\(arguments) ended with \(result.status), not \(status):\n\(result.output)")
        }
        return result
    }

    private func state(_ instance: String, in folder: TemporaryFolder) async throws -> String? {
        let shown = try await plugins(["show", instance, "--json"], in: folder)
        return try JSONValue(json: Data(shown.output.utf8))["state"]?.string
    }

    @Test func aDisabledInstanceStaysOutOverARestartUntilItIsEnabled() async throws {
        let folder = try TemporaryFolder()
        var server = try await ServerProcess.start(deployment.root, folder: folder)
        _ = try await plugins(["disable", "edition", "--reason", "wrong page numbers"], in: folder)
        let closed = try await server.client.get("/fixtures/edition")
        #expect(closed.status == 503)
        #expect(closed.text.contains("wrong page numbers") && closed.text.contains("theatre plugins enable edition"))
        let refused = try await plugins(["disable", "sqlite"], in: folder, status: 1)
        #expect(refused.output.contains("plugins.critical"))
        try await server.stop()
        let kept = try String(contentsOf: URL(filePath: folder.path("state/operations.json")), encoding: .utf8)
        #expect(kept.contains("wrong page numbers"))
        server = try await ServerProcess.start(deployment.root, folder: folder)
        #expect(server.instance("edition")?["state"]?.string == "DISABLED")
        #expect(try await server.client.get("/fixtures/edition").status == 503)
        server.hangUp()
        try await eventually("plugins.d was read") { server.output.contains("was read again") ? true : nil }
        #expect(try await state("edition", in: folder) == "DISABLED")
        _ = try await plugins(["enable", "edition"], in: folder)
        #expect(try await server.client.get("/fixtures/edition").status == 200)
        #expect(try await server.client.get("/fixtures/relay").status == 200)
        try await server.stop()
    }

    @Test func aQuarantinedInstanceRefusesUntilItIsReleased() async throws {
        let folder = try TemporaryFolder()
        let server = try await ServerProcess.start(deployment.root, folder: folder)
        _ = try await plugins(["quarantine", "edition", "--reason", "it talks nonsense"], in: folder)
        let closed = try await server.client.get("/fixtures/edition")
        #expect(closed.status == 503 && closed.text.contains("it talks nonsense"))
        #expect(try await server.client.get("/fixtures/relay").status == 503)
        server.hangUp()
        try await eventually("plugins.d was read") { server.output.contains("was read again") ? true : nil }
        #expect(try await state("edition", in: folder) == "QUARANTINED")
        _ = try await plugins(["release", "edition"], in: folder)
        #expect(try await server.client.get("/fixtures/relay").text.hasPrefix("2 "))
        try await server.stop()
    }

    @Test func listShowAndLogsTellWhatThereIs() async throws {
        let folder = try TemporaryFolder()
        let server = try await ServerProcess.start(
            deployment.root, folder: folder, arguments: ["--log-level", "debug"])
        let list = try JSONValue(json: Data(try await plugins(["list", "--json"], in: folder).output.utf8))
        #expect(list.array?.compactMap { $0["instance"]?.string } == ["edition", "relay", "sqlite"])
        #expect(try await plugins(["list"], in: folder).output.contains("READY"))
        let unknown = try await plugins(["show", "editon"], in: folder, status: 1)
        #expect(unknown.output.contains("plugins.unknown_instance") && unknown.output.contains("edition"))
        _ = try await server.client.get("/fixtures/edition")
        let logs = try JSONValue(json: Data(try await plugins(["logs", "edition", "--json"], in: folder).output.utf8))
        #expect(logs.array?.last?["message"]?.string == "served")
        #expect(logs.array?.last?["generation"]?.integer == 1)
        #expect(try await plugins(["logs", "edition"], in: folder).output.contains("#1 served"))
        try await server.stop()
    }

    @Test func whereNoHostRunsThatIsSaidAndListReadsTheLibraries() async throws {
        let folder = try TemporaryFolder()
        let refused = try await plugins(["swap", "edition"], in: folder, status: 1)
        #expect(refused.output.contains("no host runs on this state folder"))
        #expect(try await plugins(["list"], in: folder).output.contains("Ledger"))
        #expect(try await plugins(["show", "Ledger"], in: folder).output.contains("theatre.ledger.v1.Ledger"))
    }
}
