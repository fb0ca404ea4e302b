// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreManifest

/// What `make run` prints once it serves: a table of all that was loaded, where to look, and the next command.
@Suite(.serialized) struct ReadyTableTests {
    private static let columns = ["instance", "plugin", "version", "mode", "capabilities", "state"]

    /// The rows of the table that a server printed, by instance: each cell by its column.
    private func table(_ output: String) throws -> [String: [String: String]] {
        let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
        let place = try #require(lines.firstIndex { $0.hasPrefix("instance ") }, "\(output)")
        let heading = lines[place]
        #expect(heading.split(separator: " ").map(String.init) == Self.columns)
        let starts = try Self.columns.map { column in
            heading.distance(from: heading.startIndex, to: try #require(heading.firstRange(of: column)).lowerBound)
        }
        var rows: [String: [String: String]] = [:]
        for line in lines[(place + 1)...].prefix(while: { !$0.isEmpty }) {
            let characters = Array(line)
            var row: [String: String] = [:]
            for (index, column) in Self.columns.enumerated() {
                let end = index + 1 < starts.count ? starts[index + 1] : characters.count
                guard starts[index] < end, end <= characters.count else { continue }
                let cell = String(characters[starts[index]..<end])
                row[column] = cell.split(separator: " ").joined(separator: " ")
            }
            rows[row["instance"] ?? ""] = row
        }
        return rows
    }

    private static func manifest(of plugin: String) throws -> Manifest {
        let files = FileManager.default
        let groups = try files.contentsOfDirectory(atPath: "\(Sources.root)/Plugins")
        let path = groups.map { "\(Sources.root)/Plugins/\($0)/\(plugin)/plugin.json" }.first {
            files.fileExists(atPath: $0)
        }
        return try Manifest(json: Data(contentsOf: URL(filePath: try #require(path, "\(plugin)"))))
    }

    @Test func theTableHasEveryInstanceWithWhatItIs() async throws {
        // One more that is isolated, and one that failed; some of those that ship are switched off.
        let deployment = try defaultDeployment([
            "70-good.yaml": "plugin: Good\ninstance: boxed\nmode: isolated\n",
            "80-bad.yaml": "plugin: ThrowsInCreate\ninstance: bad\n",
        ])
        let server = try await ServerProcess.start(deployment.root)
        let rows = try table(server.output)
        let instances = server.ready["instances"]?.array ?? []
        #expect(Set(rows.keys) == Set(try instances.map { try $0.text("/instance") }))
        #expect(instances.contains { $0["state"]?.string == "DISABLED" })
        for instance in instances {
            let name = try instance.text("/instance"), plugin = try instance.text("/plugin")
            let row = try #require(rows[name])
            #expect(row["plugin"] == plugin)
            #expect(row["state"] == instance["state"]?.string, "\(name)")
            // Of what is switched off, the library is not looked at.
            guard !["Good", "ThrowsInCreate"].contains(plugin), row["state"] == "READY" else { continue }
            let manifest = try Self.manifest(of: plugin)
            #expect(row["version"] == manifest.version, "\(name)")
            #expect(row["mode"] == "inproc", "\(name)")
            let capabilities = manifest.provides.map { $0.capability.replacing("theatre.", with: "") }
            #expect(row["capabilities"] == capabilities.joined(separator: " "), "\(name)")
        }
        #expect(rows["boxed"]?["mode"] == "isolated" && rows["boxed"]?["state"] == "READY")
        #expect(rows["boxed"]?["version"] == "1.0.0" && rows["boxed"]?["capabilities"] == "http.v1.Handler")
        #expect(rows["bad"]?["state"] == "QUARANTINED")
        let notServing = "not serving:\n  bad: bad (ThrowsInCreate): instance.create_failed"
        #expect(server.output.contains(notServing), "\(server.output)")
        for said in [
            "ready at \(server.url)", "\(server.url)/openapi.json", "\(server.url)/readyz", "\(server.url)/metrics",
            "tour --server \(server.url)", "kill -HUP \(server.pid)",
        ] { #expect(server.output.contains(said), "\(said)") }
        try await server.stop()
    }
}
