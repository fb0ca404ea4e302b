// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Staging
import Testing
import TheatreManifest

/// Generations take over from each other in a server that is busy. `relay` calls `edition` twice for each request and
/// tells both answers: `generation count`.
@Suite(.serialized) struct SwapTests {
    static let files = [
        "00-host.yaml": "development: true\ncontrol_seconds: 5\ndrain_seconds: 5\nresident_builds: 3\n"
            + "rates: {provider: {per_minute: 10000000, burst: 1000000}}\n",
        "10-sqlite.yaml": "plugin: SQLite\ncritical: true\ngrants: {state_folder: true}\n",
        "20-edition.yaml": "plugin: Edition\n", "21-relay.yaml": "plugin: Relay\n",
        "90-routes.yaml": "routes:\n  - {feature: relay.next, candidates: [{profile: edition}]}\n",
    ]

    private let deployment: TemporaryFolder
    private let other: TemporaryFolder

    init() throws {
        deployment = try TemporaryFolder(Self.files)
        other = try TemporaryFolder()
        for version in ["1.0.1", "1.0.2", "1.0.3"] { try build(version) }
    }

    /// Another build of Edition: the same code with another version in its manifest and its table.
    private func build(_ version: String) throws {
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(BuildFolder.path)/libEdition.so")))
        let (old, new) = (Array("1.0.0".utf8), Array(version.utf8))
        for start in bytes.indices.dropLast(old.count) where bytes[start] == old[0] && bytes[start + 2] == old[2] {
            if bytes[start..<start + old.count].elementsEqual(old) {
                bytes.replaceSubrange(start..<start + old.count, with: new)
            }
        }
        try Data(bytes).write(to: URL(filePath: library(version)))
    }

    private func library(_ version: String) -> String { other.path("libEdition-\(version).so") }

    @Test(arguments: ["inproc", "isolated", "remote"])
    func underLoadNoRequestFailsAndNoneSeesTwoGenerations(_ mode: String) async throws {
        var elsewhere: PluginProcess?
        defer { elsewhere?.end() }
        var file = "plugin: Edition\nmode: \(mode)\n"
        if mode == "remote" {
            let address = "unix:\(other.path("socket"))"
            elsewhere = try PluginProcess.serve("Edition", ["--listen", address, "--plaintext"])
            file += "remote: {endpoint: \"\(address)\", plaintext: true}\n"
        }
        try deployment.write("20-edition.yaml", file)
        let server = try await ServerProcess.start(deployment.root)
        let over = Gate()
        let client = server.client
        let seen = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var answers: [String] = []
                    while !over.isOpen {
                        let answer = try await client.get("/fixtures/relay")
                        answers.append(answer.status == 200 ? answer.text : "\(answer.status) \(answer.text)")
                    }
                    return answers
                }
            }
            defer { over.open() }
            for round in 0..<4 {
                // The build of a server elsewhere is that server's: each swap is another session with it.
                let version = mode == "remote" ? "1.0.0" : round.isMultiple(of: 2) ? "1.0.1" : "1.0.2"
                let named = mode == "remote" ? [] : ["--library", library(version)]
                let swapped = try await server.plugins(["swap", "edition"] + named)
                #expect(swapped["instance"]?["version"]?.string == version)
                #expect(swapped["handed_over"] == .bool(true))
            }
            let back = try await server.plugins([mode == "remote" ? "swap" : "rollback", "edition"])
            #expect(back["instance"]?["version"]?.string == (mode == "remote" ? "1.0.0" : "1.0.1"))
            #expect(back["to"]?.integer == 6)
            over.open()
            return try await group.reduce(into: [String]()) { $0 += $1 }
        }
        let words = seen.map { $0.split(separator: " ").map(String.init) }
        #expect(words.allSatisfy { $0.count == 4 }, "\(words.first { $0.count != 4 } ?? [])")
        #expect(words.allSatisfy { $0.count == 4 && $0[0] == $0[2] }, "a request saw two generations")
        #expect(Set(words.map { $0[0] }).count > 1, "\(seen.count) requests")
        try await eventually("the old generations are retired") {
            server.output.components(separatedBy: "instance was replaced").count > 5 ? true : nil
        }
        let metrics = try await server.client.get("/metrics").text.split(separator: "\n")
            .filter { $0.contains(#"instance="edition""#) }
        #expect(!metrics.isEmpty && metrics.allSatisfy { $0.contains(#"generation="6""#) }, "\(metrics)")
        try await server.stop()
    }

    /// Another build in the library's folder is taken up by SIGHUP, with the state of the one before.
    @Test func aNewBuildInTheFolderIsTakenUpByAReload() async throws {
        let installed = other.path("libEdition.so")
        try FileManager.default.copyItem(atPath: "\(BuildFolder.path)/libEdition.so", toPath: installed)
        let server = try await ServerProcess.start(deployment.root, libraries: "\(other.root):\(BuildFolder.path)")
        for count in 1...3 { #expect(try await server.client.get("/fixtures/edition").text == "1 \(count)") }
        #expect(rename(library("1.0.1"), installed) == 0)
        server.hangUp()
        try await eventually("the reload is applied") {
            server.output.contains("plugins.d was read again") ? true : nil
        }
        #expect(try await server.client.get("/fixtures/edition").text == "2 4")
        let shown = try await server.plugins(["show", "edition"])
        #expect(shown["version"]?.string == "1.0.1")
        #expect(shown["running_digest"] == shown["configured_digest"])
        try await server.stop()
    }

    @Test func aFaultBeforeTheFlipLeavesTheOldGenerationServing() async throws {
        let server = try await ServerProcess.start(deployment.root)
        let crashing = try await server.plugins(
            ["swap", "edition", "--library", "\(BuildFolder.path)/libCrashesInCreate.so"], status: 1)
        #expect(crashing.string?.contains("probe.crashed: ") == true, "\(crashing)")
        let again = try await server.plugins(
            ["swap", "edition", "--library", "\(BuildFolder.path)/libCrashesInCreate.so"], status: 1)
        #expect(again.string?.contains("probe.crashed: ") == true, "the verdict is kept")
        let garbage = try await server.plugins(
            ["swap", "edition", "--library", deployment.path("20-edition.yaml")], status: 1)
        #expect(garbage.string?.contains("plugin.not_a_library") == true)
        try deployment.write("20-edition.yaml", "plugin: Edition\nconfig: {is_sound: false}\n")
        server.hangUp()
        try await eventually("the reload is refused") { server.output.contains("edition.unsound") ? true : nil }
        #expect(try await server.client.get("/fixtures/edition").text == "1 1")
        let shown = try await server.plugins(["show", "edition"])
        #expect(shown["generation"]?.integer == 1)
        #expect(shown["running_digest"] == shown["configured_digest"])
        try await server.stop()
    }

    @Test func buildsBeyondTheLimitAreRefused() async throws {
        let server = try await ServerProcess.start(deployment.root)
        for version in ["1.0.1", "1.0.2"] {
            _ = try await server.plugins(["swap", "edition", "--library", library(version)])
        }
        let refused = try await server.plugins(["swap", "edition", "--library", library("1.0.3")], status: 1)
        #expect(refused.string?.contains("plugin.too_many_images") == true, "\(refused)")
        let shown = try await server.plugins(["show", "edition"])
        #expect(shown["mapped_builds"]?.integer == 3)
        #expect(shown["version"]?.string == "1.0.2")
        #expect(shown["running_digest"] != shown["configured_digest"])
        #expect(try await server.plugins(["swap", "edition"])["instance"]?["version"]?.string == "1.0.0")
        try await server.stop()
    }

    @Test func stateIsHandedOnUnlessTheNewGenerationIsToBeFresh() async throws {
        let server = try await ServerProcess.start(deployment.root)
        for count in 1...3 { #expect(try await server.client.get("/fixtures/edition").text == "1 \(count)") }
        _ = try await server.plugins(["swap", "edition"])
        #expect(try await server.client.get("/fixtures/edition").text == "2 4")
        let fresh = try await server.plugins(["swap", "edition", "--fresh"])
        #expect(fresh["handed_over"] == .bool(false))
        #expect(try await server.client.get("/fixtures/edition").text == "3 1")
        try await server.stop()
    }
}
