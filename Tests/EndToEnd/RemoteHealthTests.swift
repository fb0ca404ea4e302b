// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Staging
import Testing
import TheatreManifest

/// The routes of an instance whose server says that it does not serve; the server is in Python.
@Suite struct RemoteHealthTests {
    @Test func routesAreClosedWithTheReasonForAsLongAsTheServerSaysSo() async throws {
        let away = try TemporaryFolder()
        let foreign = try PluginProcess([
            "/usr/bin/python3", "\(Sources.root)/Tests/Foreign/parrot.py",
            "\(Sources.root)/PluginAPI/Contracts/contracts.binpb", "unix:\(away.path("good"))",
        ])
        defer { foreign.end() }
        let deployment = try TemporaryFolder([
            "00-host.yaml": BadPluginTests.host,
            "10-sqlite.yaml": "plugin: SQLite\ncritical: true\ngrants: {state_folder: true}\n",
            "20-good.yaml":
                "plugin: Good\ninstance: good\nmode: remote\n"
                + "remote: {endpoint: \"unix:\(away.path("good"))\", plaintext: true, probe_seconds: 1}\n",
        ])
        let server = try await ServerProcess.start(deployment.root)
        #expect(try await server.client.get("/fixtures/good").text == "from another language")
        foreign.signal(SIGUSR1)
        let refused = try await eventually("the route is closed") { () -> JSONValue? in
            let answer = try await server.client.get("/fixtures/good")
            return answer.status == 503 ? try answer.json : nil
        }
        #expect(
            refused["reason"]?.string == "remote.not_serving" || "\(refused)".contains("remote.not_serving"),
            "\(refused)")
        let shown = try await server.plugins(["show", "good"])
        #expect(shown["state"]?.string == "QUARANTINED", "\(shown)")
        #expect(shown["reason"]?.string?.contains("remote.not_serving") == true, "\(shown)")
        foreign.signal(SIGUSR2)
        try await eventually("the route is open again") {
            try await server.client.get("/fixtures/good").status == 200 ? true : nil
        }
        #expect(try await server.plugins(["show", "good"])["state"]?.string == "READY")
        try await server.stop()
    }
}
