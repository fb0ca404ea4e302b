// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Testing
import TheatreManifest

/// A route of a manifest states everything about itself: one that lacks a member stops the start, whatever the plugin.
@Suite(.serialized) struct RouteDeclarationTests {
    /// What every route must state.
    static let members = [
        "method", "path", "operation", "request", "response", "access", "resource", "action", "scope", "audit", "rate",
        "body_limit", "idempotent",
    ]

    /// A folder with `libGood.so` as it was built, but with the first route of its manifest changed.
    private func libraries(_ change: (inout [String: JSONValue]) -> Void) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for name in ["libSQLite.so"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.path(name), withDestinationPath: "\(BuildFolder.path)/\(name)")
        }
        let source = URL(filePath: "\(Sources.root)/Tests/Fixtures/Good/plugin.json")
        let embedded = try Data(contentsOf: source)
        var manifest = try #require(try JSONValue(json: embedded).object)
        var route = try #require(manifest["routes"]?.array?.first?.object)
        change(&route)
        manifest["routes"] = .array([.object(route)])
        // JSON may end in blanks, so what is shorter takes the same room in the library.
        var bytes = [UInt8](try JSONValue.object(manifest).json())
        try #require(bytes.count <= embedded.count)
        bytes += [UInt8](repeating: 0x20, count: embedded.count - bytes.count)
        var library = try Data(contentsOf: URL(filePath: "\(BuildFolder.path)/libGood.so"))
        var places = 0
        while let place = library.firstRange(of: embedded) {
            library.replaceSubrange(place, with: bytes)
            places += 1
        }
        try #require(places == 1, "the manifest stands once in the library")
        try library.write(to: URL(filePath: folder.path("libGood.so")))
        return folder
    }

    private func check(_ libraries: TemporaryFolder, _ more: [String] = []) async throws -> CommandResult {
        let deployment = try TemporaryFolder(BadPluginTests.sound)
        return try await theatre(["check"] + more + ServerProcess.options(deployment.root, libraries.root))
    }

    @Test func theSameLibraryWithEverythingStatedIsFine() async throws {
        let folder = try libraries { _ in }
        let checked = try await check(folder)
        #expect(checked.status == 0, "\(checked.output)")
        let deployment = try TemporaryFolder(BadPluginTests.sound)
        let server = try await ServerProcess.start(deployment.root, libraries: folder.root)
        #expect(try await server.client.get("/fixtures/good").text == "served")
        try await server.stop()
    }

    @Test(arguments: members) func aRouteThatLacksAMemberStopsTheStartAndIsNamed(_ member: String) async throws {
        let folder = try libraries { $0[member] = nil }
        let pointer = "/routes/0/\(member)"
        let checked = try await check(folder)
        #expect(checked.status == 1)
        let line = checked.output.split(separator: "\n").first { $0.contains("20-good.yaml:1: declaration.invalid: ") }
        #expect(line?.contains("Good: plugin.bad_manifest") == true, "\(checked.output)")
        #expect(line?.contains(pointer) == true, "\(checked.output)")
        let report = try JSONValue(json: Data(try await check(folder, ["--json"]).output.utf8))
        #expect(report["ok"]?.bool == false)
        #expect(report["faults"]?.array?.contains { $0["sentence"]?.string?.contains(pointer) == true } == true)

        let deployment = try TemporaryFolder(BadPluginTests.sound)
        let state = try TemporaryFolder()
        let served = try await theatre(
            ["serve", "--state", state.root, "--port", "0"] + ServerProcess.options(deployment.root, folder.root))
        #expect(served.status == 1)
        #expect(served.output.contains(pointer), "\(served.output)")
        #expect(!served.output.contains("ready at"))
    }

    /// Said, and said to be nothing: that is the same as unsaid.
    @Test(arguments: members) func aRouteWithAnEmptyMemberIsAFaultToo(_ member: String) async throws {
        let checked = try await check(try libraries { $0[member] = .string("") })
        #expect(checked.status == 1)
        #expect(checked.output.contains("/routes/0/\(member)"), "\(checked.output)")
    }

    /// A reload that brings such a route is not applied.
    @Test func aReloadThatBringsOneLeavesWhatServes() async throws {
        let folder = try libraries { _ in }
        let deployment = try TemporaryFolder(BadPluginTests.sound)
        let server = try await ServerProcess.start(deployment.root, libraries: folder.root)
        let worse = try libraries { $0["audit"] = nil }
        let next = folder.path("libGood.so.next")
        try FileManager.default.copyItem(atPath: worse.path("libGood.so"), toPath: next)
        try #require(rename(next, folder.path("libGood.so")) == 0)
        server.hangUp()
        try await eventually("the reload is refused") {
            server.output.contains("plugins.d was not applied") ? true : nil
        }
        #expect(server.output.contains("/routes/0/audit"), "\(server.output)")
        #expect(try await server.client.get("/fixtures/good").text == "served")
        try await server.stop()
    }
}
