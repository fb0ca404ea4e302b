// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Runtime
import Testing
import TheatreContracts

@testable import Services

/// Requests over TLS to a server whose authority the system does not know.
@Suite(.timeLimit(.minutes(1))) struct EgressTLSTests {
    /// A server that has the certificate for `localhost`, and the file of its authority: itself.
    private static func server(_ answer: @escaping TestServer.Answer) async throws -> TestServer {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)).map {
            NIOSSLCertificateSource.certificate($0)
        }
        let key = try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)
        let configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain, privateKey: .privateKey(key))
        return try await TestServer.open(tls: try NIOSSLContext(configuration: configuration), answer)
    }

    /// Calls `body` with the name of a file that holds `text`.
    private static func withFile<Result>(
        _ text: String, _ body: (String) async throws -> Result
    ) async throws -> Result {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("egress-\(UUID().uuidString).pem")
        try Data(text.utf8).write(to: url)
        defer {
            do { try FileManager.default.removeItem(at: url) } catch { Issue.record(error) }
        }
        return try await body(url.path)
    }

    private static func trusting() async throws -> EgressService {
        try await withFile(certificate) { try service(authorities: [$0]) }
    }

    @Test func aConfiguredAuthorityIsTrusted() async throws {
        let server = try await Self.server { $0.answer(.ok, [:], Array("sealed".utf8)) }
        let service = try await Self.trusting()
        let call = try fetch(
            service, get("https://localhost:\(server.port)/a"), grants("localhost", server.port))
        #expect(try await call.response(HostFetchResponse.self).body == Data("sealed".utf8))
        #expect(server.received.first?.head.uri == "/a")
        try await service.shutdown().get()
    }

    @Test func anUnknownAuthorityIsRefusedAndNothingIsSent() async throws {
        let server = try await Self.server { $0.answer() }
        let service = try service()
        let call = try fetch(service, get("https://localhost:\(server.port)/"), grants("localhost", server.port))
        try await expectUntrusted(call, server)
        try await service.shutdown().get()
    }

    /// 127.0.0.1 is the same server, but not the name that its certificate is for.
    @Test(arguments: ["Fetch", "FetchStream"])
    func aCertificateForAnotherNameIsRefused(operation: String) async throws {
        let server = try await Self.server { $0.answer() }
        let service = try await Self.trusting()
        let call = try fetch(
            service, get("https://127.0.0.1:\(server.port)/"), grants("127.0.0.1", server.port), operation: operation)
        try await expectUntrusted(call, server)
        try await service.shutdown().get()
    }

    private func expectUntrusted(_ call: FakeHostCall, _ server: TestServer) async throws {
        let error = try #require(await call.error())
        #expect(error.reason == "egress.untrusted", "\(error)")
        #expect(error.code == .unavailable)
        #expect(error.effect == CallError.Effect.none)
        #expect(error.retry == .never)
        #expect(server.received.isEmpty)
    }

    @Test(arguments: ["", "no certificate"]) func aFileWithoutACertificateStopsTheStart(text: String) async throws {
        let error = try await Self.withFile(text) { file in
            #expect(throws: CallError.self) { try service(authorities: [file]) }
        }
        #expect(error?.reason == "egress.bad_authority")
        #expect(throws: CallError.self) { try service(authorities: ["/nonexistent.pem"]) }
    }

    /// Self-signed, for localhost, used nowhere else.
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBZDCCAQugAwIBAgIBATAKBggqhkjOPQQDAjAWMRQwEgYDVQQDDAtlZ3Jlc3Mu
        dGVzdDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFjEUMBIGA1UE
        AwwLZWdyZXNzLnRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARhDvCYhCGW
        idBBRnEioUxJ8S5NrX1IAHyJQmS413YeuoVW6uFYaaXxC1bcYcEjUrwGrh5HEJ/h
        7ZTobRhhPW1Yo0gwRjAPBgNVHRMBAf8EBTADAQH/MBQGA1UdEQQNMAuCCWxvY2Fs
        aG9zdDAdBgNVHQ4EFgQUmixbwhLF07VXrjdpqcObUtSaanUwCgYIKoZIzj0EAwID
        RwAwRAIgefGZXGP3H5dImcWrk5HZjG1p3mu/sSRqiQPFdb2HGiMCIAsX9ghHyKWH
        wUXY1Gr4M0Gkdl89kcE4TupgHTZPqmd3
        -----END CERTIFICATE-----
        """
    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9rKSycdZHqTt0DPy
        a8+VzQ7Li22DphLEGYvd9/HAhyChRANCAARhDvCYhCGWidBBRnEioUxJ8S5NrX1I
        AHyJQmS413YeuoVW6uFYaaXxC1bcYcEjUrwGrh5HEJ/h7ZTobRhhPW1Y
        -----END PRIVATE KEY-----
        """
}
