// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOSSL

/// A certificate of 127.0.0.1 that only these tests trust.
enum SelfSigned {
    /// A client that trusts it and nothing else, or everything but it. One that cannot connect says so at once.
    static func client(trusting: Bool = true) throws -> HTTPClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        if trusting { tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8))) }
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Runs what uses such a client, and ends the client however that ends.
    static func withClient(trusting: Bool = true, _ body: (HTTPClient) async throws -> Void) async throws {
        let http = try client(trusting: trusting)
        do {
            try await body(http)
        } catch {
            try await http.shutdown()
            throw error
        }
        try await http.shutdown()
    }

    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBoTCCAUegAwIBAgIUP0FO1OnIuzUG7C2517ak/EbrPv4wCgYIKoZIzj0EAwIw
        FzEVMBMGA1UEAwwMdGhlYXRyZSB0ZXN0MCAXDTI2MTEyMjA3NDQ1NVoYDzIxMjYx
        MDI5MDc0NDU1WjAXMRUwEwYDVQQDDAx0aGVhdHJlIHRlc3QwWTATBgcqhkjOPQIB
        BggqhkjOPQMBBwNCAAR0nDdGGg/KgPdcavsWRIU1e4t0lcP9UgZBfQgSGhsj/BKN
        hsAcb2xJ3oHGPLRWwDN0XFCQx2UZcNtWlnRnPSxHo28wbTAdBgNVHQ4EFgQUm+31
        IRpabGAYC/C0hdDqkvomTRwwHwYDVR0jBBgwFoAUm+31IRpabGAYC/C0hdDqkvom
        TRwwDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3Qw
        CgYIKoZIzj0EAwIDSAAwRQIgD+1r9icfjS9MbM1LkNq3SrwOv0BsGEmueIqKLAOg
        +awCIQCKxbinT1hUPXMZkV4/V7R1+qfU2fSMGyhdafDjuFh4Ig==
        -----END CERTIFICATE-----

        """

    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+dRf1nHW+82N/dTa
        PWuEj5K+ewt7KBXaYGtawErUQB6hRANCAAR0nDdGGg/KgPdcavsWRIU1e4t0lcP9
        UgZBfQgSGhsj/BKNhsAcb2xJ3oHGPLRWwDN0XFCQx2UZcNtWlnRnPSxH
        -----END PRIVATE KEY-----

        """
}
