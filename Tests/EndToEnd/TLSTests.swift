// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import NIOHTTP1
import NIOSSL
import Staging
import Testing
import TheatreManifest

/// The default deployment over TLS, as a client that negotiates HTTP/2 meets it.
@Suite(.serialized) struct TLSTests {
    @Test func requestsAndEventsShareOneEncryptedConnection() async throws {
        try await with { server, http in
            #expect(server.url.hasPrefix("https://"))
            let person = try await Account.new(on: server, by: http)
            _ = try await person.buy(10)
            let paths = ["/healthz", "/api/v1/me", "/api/v1/me/wallet", "/openapi.json", "/api/v1/projects"]
            try await withThrowingTaskGroup(of: Client.Answer.self) { group in
                for index in 0..<30 {
                    group.addTask { [client = person.client] in try await client.get(paths[index % paths.count]) }
                }
                for try await answer in group {
                    #expect(answer.status == 200, "\(answer.text)")
                    #expect(answer.version == .http2)
                }
            }

            // While the stream is open, the order that it tells of is made beside it.
            var order: String?
            let stream = try await person.client.follow("user:\(person.id)") { text in
                if order == nil, text.contains("started") {
                    order = try await person.client.expect(
                        201, .POST, "/api/v1/orders", Account.order(10), key: Account.key()
                    ).text("/id")
                }
                return order.map { text.contains("event: order.created") && text.contains($0) } ?? false
            }
            #expect(stream.version == .http2)
            try await expectReadsGivenUp(1, person)
        }
    }

    @Test func aStopEndsAnOpenStreamAndItsConnection() async throws {
        try await with { server, http in
            let person = try await Account.new(on: server, by: http)
            let end = await #expect(throws: Unexpected.self) {
                try await person.client.follow("user:\(person.id)") { text in
                    if text.contains("started") { server.terminate() }
                    return false
                }
            }
            #expect(end?.description.contains("\"reason\":\"draining\"") == true, "\(String(describing: end))")
            try await server.awaitEnd()
        }
    }

    @Test func aClientThatDoesNotTrustTheCertificateGetsNothing() async throws {
        try await with(trusting: false) { server, http in
            var client = server.client
            client.http = http
            await #expect(throws: NIOSSLError.self) { try await client.get("/healthz") }
        }
    }

    /// A renewal needs no restart: who connects afterwards is shown the new certificate, by itself and at a reload.
    @Test(arguments: [true, false]) func aRenewedCertificateIsShown(_ isReload: Bool) async throws {
        let folder = try TemporaryFolder(["tls.pem": SelfSigned.certificate, "tls.key": SelfSigned.key])
        let renewed = try Certificates(in: folder.root)
        let tls = "tls: {certificate: \"\(folder.path("tls.pem"))\", key: \"\(folder.path("tls.key"))\"}\n"
        let deployment = try defaultDeployment(["00-host.yaml": try defaultFile("00-host.yaml") + tls])
        let server = try await ServerProcess.start(deployment.root)
        var trust = TLSConfiguration.makeClientConfiguration()
        trust.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(renewed.file("ca.pem")))
        trust.certificateVerification = .noHostnameVerification
        var client = server.client
        func connects() async throws -> Bool {
            var configuration = HTTPClient.Configuration(tlsConfiguration: trust)
            configuration.connectionPool.retryConnectionEstablishment = false
            let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            client.http = http
            let status = try? await client.get("/healthz").status
            try await http.shutdown()
            return status == 200
        }
        #expect(try await !connects(), "of nobody's authority yet")
        for (file, new) in [("tls.pem", "server.pem"), ("tls.key", "server.key")] {
            try FileManager.default.removeItem(atPath: folder.path(file))
            try FileManager.default.copyItem(atPath: renewed.file(new), toPath: folder.path(file))
        }
        if isReload { server.hangUp() }
        try await eventually("the new certificate is shown") { try await connects() ? true : nil }
        try await server.stop()
    }

    @Test func plainHTTPIsNotAnswered() async throws {
        try await with { server, _ in
            let plain = Client(url: server.url.replacing("https://", with: "http://"))
            await #expect(throws: (any Error).self) { try await plain.get("/healthz") }
        }
    }

    private func with(trusting: Bool = true, _ body: (ServerProcess, HTTPClient) async throws -> Void) async throws {
        let folder = try TemporaryFolder(["tls.pem": SelfSigned.certificate, "tls.key": SelfSigned.key])
        let tls = "tls: {certificate: \"\(folder.path("tls.pem"))\", key: \"\(folder.path("tls.key"))\"}\n"
        let deployment = try defaultDeployment(["00-host.yaml": try defaultFile("00-host.yaml") + tls])
        let server = try await ServerProcess.start(deployment.root)
        try await SelfSigned.withClient(trusting: trusting) { try await body(server, $0) }
        try await server.stop()
    }
}
