// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Registry
import Staging
import Testing
import TheatreManifest

/// The deployment that ships, with every plugin in a server of its own, behind mutual TLS.
@Suite(.serialized) struct RemoteDeploymentTests {
    private struct Remote {
        let deployment: TemporaryFolder
        let certificates: Certificates
        var servers: [String: PluginProcess] = [:]

        init() throws {
            deployment = try TemporaryFolder()
            let root = deployment.root
            try FileManager.default.createDirectory(atPath: "\(root)/away", withIntermediateDirectories: true)
            certificates = try Certificates(in: "\(root)/away")
            for file in try FileManager.default.contentsOfDirectory(atPath: Sources.defaultDeployment) {
                var text = try defaultFile(file)
                if let plugin = Self.plugin(text), !text.contains("enabled: false") {
                    try serve(plugin)
                    text += "mode: remote\n" + remote(plugin)
                }
                try deployment.write(file, text)
            }
        }

        /// What `plugin:` of a file says.
        private static func plugin(_ text: String) -> String? {
            text.split(separator: "\n").first { $0.hasPrefix("plugin: ") }.map { String($0.dropFirst(8)) }
        }

        private func remote(_ plugin: String) -> String {
            let tls = certificates.tls()
            return """
                remote:
                  endpoint: "unix:\(deployment.root)/away/\(plugin)"
                  tls: {ca: \(tls.authority), certificate: \(tls.certificate), key: \(tls.key), server_name: \(tls.serverName)}

                """
        }

        mutating func serve(_ plugin: String) throws {
            servers[plugin] = try PluginProcess.serve(
                plugin,
                [
                    "--listen", "unix:\(deployment.root)/away/\(plugin)", "--ca", certificates.file("ca.pem"),
                    "--certificate", certificates.file("server.pem"), "--key", certificates.file("server.key"),
                    "--state", "\(deployment.root)/away/state",
                ])
        }
    }

    @Test func theTourIsAsItShouldBeWithEveryPluginElsewhere() async throws {
        let remote = try Remote()
        let server = try await ServerProcess.start(remote.deployment.root)
        let running = (server.ready["instances"]?.array ?? []).filter { $0["state"]?.string == "READY" }
        #expect(running.count == remote.servers.count)
        let tour = try await theatre(["tour", "--server", server.url, "--json"], seconds: 180)
        #expect(tour.status == 0, "\(tour.output)\n\(server.output)")
        try await server.stop()
    }

    @Test func aServerThatIsKilledClosesItsRoutesUntilItIsBack() async throws {
        var remote = try Remote()
        let server = try await ServerProcess.start(remote.deployment.root)
        let person = try await Account.new(on: server)
        _ = try await person.buy(500)
        remote.servers["Orders"]?.end()
        let refused = try await eventually("the routes are closed") { () -> JSONValue? in
            let answer = try await person.client.get("/api/v1/orders/ord_nothing")
            return answer.status == 503 ? try answer.json : nil
        }
        #expect(refused["retryable"]?.bool == true)
        try remote.serve("Orders")
        _ = try await eventually("the routes are open again") { () -> Bool? in
            try await person.client.get("/api/v1/orders/ord_nothing").status == 404 ? true : nil
        }
        _ = try await person.buy(500)
        try await server.stop()
    }
}
