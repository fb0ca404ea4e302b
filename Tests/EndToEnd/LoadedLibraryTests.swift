// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Staging
import Testing
import TheatreManifest

/// Libraries as a running host has them, in its own process and in a sandbox.
@Suite(.serialized) struct LoadedLibraryTests {
    /// `F_GET_SEALS`, and all of `F_SEAL_SEAL`, `SHRINK`, `GROW` and `WRITE`: fcntl.h has them behind _GNU_SOURCE.
    private static let getSeals: Int32 = 1034
    private static let allSeals: Int32 = 0xF

    /// The memory files that a process has mapped so that they are run, by name.
    private func executed(by process: Int32) throws -> [String] {
        let maps = try processFile("/proc/\(process)/maps")
        return maps.split(separator: "\n").filter { $0.contains(" r-xp ") }
            .compactMap { $0.firstMatch(of: #/\/memfd:(\S+) \(deleted\)/#).map { String($0.1) } }
    }

    /// The seals of a process's memory files, by name; nil for one that is none.
    private func seals(in process: Int32) throws -> [String: Int32] {
        let folder = "/proc/\(process)/fd"
        var seals: [String: Int32] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)"),
                let match = target.wholeMatch(of: #/\/memfd:(\S+) \(deleted\)/#)
            else { continue }
            let descriptor = open("\(folder)/\(name)", O_RDONLY | O_CLOEXEC)
            defer { close(descriptor) }
            seals[String(match.1)] = fcntl(descriptor, Self.getSeals)
        }
        return seals
    }

    private func runner(of server: ServerProcess) throws -> Int32 {
        let runners = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter {
            let status = (try? String(contentsOf: URL(filePath: "/proc/\($0)/status"), encoding: .utf8)) ?? ""
            return status.contains("Name:\ttheatre-runner") && status.contains("PPid:\t\(server.pid)\n")
        }
        return try #require(runners.count == 1 ? runners.first : nil)
    }

    @Test func everyLibraryOfTheHostRunsFromItsSealedCopy() async throws {
        let server = try await ServerProcess.start(Sources.defaultDeployment)
        let executed = try executed(by: server.pid)
        let seals = try seals(in: server.pid)
        let plugins = (server.ready["instances"]?.array ?? []).filter { $0["state"]?.string == "READY" }
            .compactMap { $0["plugin"]?.string }
        #expect(plugins.count > 10)
        for plugin in plugins {
            #expect(executed.contains(plugin), "\(plugin)")
            #expect(seals[plugin] == Self.allSeals, "\(plugin)")
        }
        // None of it runs from a file that could be replaced under the host.
        let maps = try processFile("/proc/\(server.pid)/maps")
        for plugin in plugins { #expect(!maps.contains("/lib\(plugin).so"), "\(plugin)") }
        try await server.stop()
    }

    @Test(arguments: ["Good", "FirstRevision"], ["inproc", "isolated"])
    func aPluginServesFromASealedCopyWhicheverRevisionItWasBuiltWith(_ plugin: String, _ mode: String) async throws {
        let host = "10-sqlite.yaml"
        let deployment = try TemporaryFolder([
            "00-host.yaml": BadPluginTests.host, host: try #require(BadPluginTests.sound[host]),
            "20-plugin.yaml": "plugin: \(plugin)\ninstance: fixture\nmode: \(mode)\n",
        ])
        let server = try await ServerProcess.start(deployment.root)
        #expect(server.instance("fixture")?["state"]?.string == "READY", "\(server.output)")
        let path = plugin == "Good" ? "good" : "first-revision"
        #expect(try await server.client.get("/fixtures/\(path)").text == "served")
        let process = mode == "inproc" ? server.pid : try runner(of: server)
        #expect(try executed(by: process).contains(plugin))
        #expect(try !processFile("/proc/\(process)/maps").contains("/lib\(plugin).so"))
        // A runner closes the descriptor once it has loaded it; the host keeps its own.
        if mode == "inproc" { #expect(try seals(in: process)[plugin] == Self.allSeals) }
        try await server.stop()
    }

    @Test func inASandboxATableShorterThanRevisionZeroIsRefusedToo() async throws {
        let deployment = try TemporaryFolder(
            BadPluginTests.sound.merging(["50-bad.yaml": "plugin: Stunted\ninstance: bad\nmode: isolated\n"]) { $1 })
        let server = try await ServerProcess.start(deployment.root)
        let instance = server.instance("bad")
        #expect(instance?["state"]?.string == "QUARANTINED")
        #expect(instance?["reason"]?.string?.contains("plugin.lies: expected a table of at least 104 bytes") == true)
        #expect(try await server.client.get("/fixtures/good").text == "served")
        try await server.stop()
    }
}
