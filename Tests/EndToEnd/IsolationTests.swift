// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Testing
import TheatreManifest

/// The deployment that ships, with every instance in a process of its own.
@Suite(.serialized) struct IsolatedDeploymentTests {
    private func isolatedDeployment() throws -> TemporaryFolder {
        let files = try FileManager.default.contentsOfDirectory(atPath: Sources.defaultDeployment)
        var changes: [String: String] = [:]
        for file in files where !["00-host.yaml", "90-routes.yaml"].contains(file) {
            changes[file] = try defaultFile(file) + "mode: isolated\n"
        }
        return try defaultDeployment(changes)
    }

    /// The processes of `theatre-runner` whose parent the server is.
    private func runners(of server: ServerProcess) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { process in
            guard let status = try? String(contentsOf: URL(filePath: "/proc/\(process)/status"), encoding: .utf8) else {
                return false
            }
            return status.contains("Name:\ttheatre-runner") && status.contains("PPid:\t\(server.pid)\n")
        }
    }

    @Test func theTourIsAsItShouldBeWithEveryPluginInASandbox() async throws {
        let deployment = try isolatedDeployment()
        let server = try await ServerProcess.start(deployment.root)
        let running = (server.ready["instances"]?.array ?? []).filter { $0["state"]?.string == "READY" }
        #expect(running.count >= 10)
        #expect(try runners(of: server).count == running.count)
        let tour = try await theatre(["tour", "--server", server.url, "--json"], seconds: 180)
        #expect(tour.status == 0, "\(tour.output)\n\(server.output)")
        try await server.stop()
    }

    @Test func everyProcessIsKilledAndTheHostServesOn() async throws {
        let deployment = try isolatedDeployment()
        let server = try await ServerProcess.start(deployment.root)
        _ = try await Account.new(on: server)
        let before = Set(try runners(of: server))
        for process in before { kill(process, SIGKILL) }
        // Everything is started again, each by itself; what was stored is there.
        _ = try await eventually("every instance is started again", seconds: 60) { () -> Bool? in
            let lines = server.output.split(separator: "\n").count { $0.contains("instance was replaced") }
            return lines >= before.count ? true : nil
        }
        let person = try await Account.new(on: server)
        _ = try await person.buy(500)
        let after = Set(try runners(of: server))
        #expect(after.count == before.count)
        #expect(after.isDisjoint(with: before))
        try await server.stop()
    }

    /// libpq connects as it always does; the host dials and passes the socket.
    @Test func aDriverLibraryReachesTheServerItWasGrantedAndNoOther() async throws {
        let (folder, environment) = try await StorageEngine.postgresql.deployment(mode: "isolated")
        let server = try await ServerProcess.start(folder.root, environment: environment)
        #expect(server.instance("postgresql")?["state"]?.string == "READY")
        #expect(try runners(of: server).count == 1)
        let person = try await Account.new(on: server)
        _ = try await person.buy(500)
        #expect(server.output.contains("an instance was connected"))
        for process in try runners(of: server) { kill(process, SIGKILL) }
        _ = try await eventually("the storage is started again", seconds: 60) { () -> Bool? in
            server.output.contains("instance was replaced") ? true : nil
        }
        _ = try await person.buy(500)
        try await server.stop()
        // Another address is another server: what the configuration names is not granted, and what is, is not asked for.
        let file = folder.path("11-postgresql.yaml")
        let text = try String(contentsOf: URL(filePath: file), encoding: .utf8)
        try folder.write("11-postgresql.yaml", text.replacing("connect: [\"127.0.0.1:", with: "connect: [\"127.0.0.2:"))
        let refused = try await theatre(
            ["serve", "--port", "0", "--state", folder.path("state")] + ServerProcess.options(folder.root, nil),
            environment: environment)
        #expect(refused.status != 0 && refused.output.contains("grant.missing"), "\(refused.output)")
        #expect(refused.output.contains("grant.excess"), "\(refused.output)")
    }

    @Test func runnersEndWithTheirHost() async throws {
        let deployment = try isolatedDeployment()
        let server = try await ServerProcess.start(deployment.root)
        let runners = try runners(of: server)
        #expect(!runners.isEmpty)
        try await server.crash()
        _ = try await eventually("no runner is left") { () -> Bool? in
            runners.allSatisfy { kill($0, 0) != 0 } ? true : nil
        }
    }
}
