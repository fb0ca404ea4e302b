// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Staging
import Testing
import TheatreManifest

/// An instance at a server in the hands of its operator: reloads, swaps, and a manifest without a library.
@Suite(.serialized) struct RemoteOperationTests {
    private let deployment: TemporaryFolder
    private let away: TemporaryFolder

    init() throws {
        deployment = try TemporaryFolder(SwapTests.files)
        away = try TemporaryFolder()
    }

    private func file(_ place: String, _ more: String = "") -> String {
        "plugin: Edition\nmode: remote\nremote: {endpoint: \"unix:\(away.path(place))\", plaintext: true\(more)}\n"
    }

    /// A server of Edition, of the build beside this test or of one whose version is another.
    private func serve(_ place: String, version: String = "1.0.0") throws -> PluginProcess {
        try PluginProcess([
            "\(BuildFolder.path)/theatre", "plugin", "serve", try library(version), "--ready-fd", "3", "--listen",
            "unix:\(away.path(place))", "--plaintext",
        ])
    }

    private func library(_ version: String) throws -> String {
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(BuildFolder.path)/libEdition.so")))
        let (old, new) = (Array("1.0.0".utf8), Array(version.utf8))
        for start in bytes.indices.dropLast(old.count) where bytes[start] == old[0] && bytes[start + 2] == old[2] {
            if bytes[start..<start + old.count].elementsEqual(old) {
                bytes.replaceSubrange(start..<start + old.count, with: new)
            }
        }
        let folder = away.path(version)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: "\(folder)/libEdition.so"))
        return "\(folder)/libEdition.so"
    }

    /// Waits until the instance is so.
    private func instance(
        _ name: String, on server: ServerProcess, _ what: String, _ isSo: (JSONValue) -> Bool
    ) async throws {
        _ = try await eventually(what, seconds: 60) { () -> Bool? in
            let all = try await server.plugins(["list"])
            let found = (all["instances"] ?? all).array?.first { $0["instance"]?.string == name }
            return found.map(isSo) == true ? true : nil
        }
    }

    @Test func aReloadAddsChangesAndRemovesARemoteInstance() async throws {
        let (first, second) = (try serve("first"), try serve("second"))
        defer { for server in [first, second] { server.end() } }
        let server = try await ServerProcess.start(deployment.root)
        #expect(try await server.client.get("/fixtures/relay").status == 200)
        // From the host's own process to a server, from that to another, and back.
        try deployment.write("20-edition.yaml", file("first"))
        server.hangUp()
        try await instance("edition", on: server, "it is at the first server") {
            $0["facts"]?["endpoint"]?.string?.hasSuffix("/first") == true && $0["state"]?.string == "READY"
        }
        #expect(try await server.client.get("/fixtures/relay").text.hasPrefix("2 "))
        try deployment.write("20-edition.yaml", file("second"))
        server.hangUp()
        try await instance("edition", on: server, "it is at the second server") {
            $0["facts"]?["endpoint"]?.string?.hasSuffix("/second") == true && $0["state"]?.string == "READY"
        }
        #expect(try await server.client.get("/fixtures/relay").text.hasPrefix("3 "))
        // A reload that leads nowhere changes nothing.
        try deployment.write("20-edition.yaml", file("nowhere"))
        server.hangUp()
        try await eventually("the reload is refused or awaited") {
            server.output.contains("remote.away") ? true : nil
        }
        try deployment.write("20-edition.yaml", "plugin: Edition\n")
        let third = try PluginProcess.serve("Good", ["--listen", "unix:\(away.path("third"))", "--plaintext"])
        defer { third.end() }
        try deployment.write(
            "22-more.yaml",
            "instance: more\n" + file("third").replacing("plugin: Edition", with: "plugin: Good"))
        try deployment.write(
            "90-routes.yaml", "routes:\n  - {feature: relay.next, candidates: [{profile: edition}]}\n")
        server.hangUp()
        try await instance("more", on: server, "another one is at a server") { $0["state"]?.string == "READY" }
        try await instance("edition", on: server, "it is at home again") { $0["mode"]?.string == "inproc" }
        #expect(try await server.client.get("/fixtures/relay").status == 200)
        try FileManager.default.removeItem(atPath: deployment.path("22-more.yaml"))
        server.hangUp()
        _ = try await eventually("it is gone") { () -> Bool? in
            let all = try await server.plugins(["list"])
            return (all["instances"] ?? all).array?.contains { $0["instance"]?.string == "more" } == false ? true : nil
        }
        #expect(try await server.client.get("/fixtures/relay").status == 200)
        try await server.stop()
    }

    @Test func aSwapMakesAnotherSessionAndHandsStateOver() async throws {
        let first = try serve("place")
        defer { first.end() }
        try deployment.write("20-edition.yaml", file("place"))
        let server = try await ServerProcess.start(deployment.root)
        #expect(try await server.client.get("/fixtures/relay").text == "1 1 1 2")
        let swapped = try await server.plugins(["swap", "edition"])
        #expect(swapped["to"]?.integer == 2 && swapped["handed_over"] == .bool(true))
        #expect(try await server.client.get("/fixtures/relay").text == "2 3 2 4")
        // A library that is not the server's is refused, and what serves goes on.
        let other = try library("1.0.1")
        let refused = try await server.plugins(["swap", "edition", "--library", other], status: 1)
        #expect(refused.string?.contains("remote.other_manifest") == true, "\(refused)")
        #expect(try await server.client.get("/fixtures/relay").text.hasPrefix("2 5 "))
        // The server was replaced: the host is told which build to expect.
        first.end(SIGTERM)
        let second = try serve("place", version: "1.0.1")
        defer { second.end() }
        let replaced = try await server.plugins(["swap", "edition", "--library", other])
        #expect(replaced["instance"]?["version"]?.string == "1.0.1")
        let answer = try await server.client.get("/fixtures/relay")
        #expect(answer.status == 200 && answer.text.hasPrefix("\(replaced["to"]?.integer ?? 0) "), "\(answer.text)")
        try await server.stop()
    }

    @Test func aManifestAloneIsCheckedAndSwappedWithoutALibrary() async throws {
        let first = try serve("place")
        defer { first.end() }
        let libraries = try TemporaryFolder()
        for name in ["SQLite", "Relay"] {
            try FileManager.default.copyItem(
                atPath: "\(BuildFolder.path)/lib\(name).so", toPath: libraries.path("lib\(name).so"))
        }
        let sources = "\(Sources.root)/Tests/Fixtures/Edition"
        let manifest = ", manifest: \(away.path("plugin.json"))"
        try deployment.write("20-edition.yaml", file("place", manifest))
        let check = ["check"] + ServerProcess.options(deployment.root, libraries.root)
        let missing = try await theatre(check)
        #expect(missing.status == 1 && missing.output.contains("plugin.no_file"), "\(missing.output)")
        #expect(missing.output.contains("20-edition.yaml"), "\(missing.output)")
        try FileManager.default.copyItem(
            atPath: "\(sources)/Entry/contracts.binpb", toPath: away.path("contracts.binpb"))
        try away.write("plugin.json", "{")
        #expect(try await theatre(check).output.contains("plugin.bad_manifest"))
        try away.write("plugin.json", String(contentsOf: URL(filePath: "\(sources)/plugin.json"), encoding: .utf8))
        let checked = try await theatre(check)
        #expect(checked.status == 0, "\(checked.output)")
        let server = try await ServerProcess.start(deployment.root, libraries: libraries.root)
        #expect(try await server.client.get("/fixtures/relay").text.hasPrefix("1 "))
        let refused = try await server.plugins(["swap", "edition", "--library", try library("1.0.1")], status: 1)
        #expect(refused.string?.contains("plugins.served_elsewhere") == true, "\(refused)")
        let swapped = try await server.plugins(["swap", "edition"])
        #expect(swapped["to"]?.integer == 2)
        #expect(try await server.client.get("/fixtures/relay").text.hasPrefix("2 "))
        let back = try await server.plugins(["rollback", "edition"], status: 1)
        #expect(back.string?.contains("plugins.served_elsewhere") == true, "\(back)")
        try await server.stop()
    }
}
