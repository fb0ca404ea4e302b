// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PostgreSQLServer
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import PostgreSQL

/// The way to a real server with `ssl = on`: whom it is for, and who vouches for it.
@Suite(.serialized)
struct TransportSecurityTests {
    /// Opens an engine on `server`, as `sslmode` and the certificate of `authority` have it, and asks whether TLS is used.
    private func isEncrypted(_ server: PostgreSQLServer, _ mode: String, _ authority: PostgreSQLServer?) async throws
        -> Bool
    {
        let database = try await server.makeDatabase()
        let engine = try await EngineFixture.open(server, database) {
            $0.server.sslMode = mode
            $0.server.authority = authority?.authority ?? ""
            // Long, so that a refusal that is waited for would be noticed as such by its reason.
            $0.pool.waitMilliseconds = 60_000
        }
        let used = try await server.sql(
            "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = '\(database)'")
        await engine.closeAndWait()
        return used == "t"
    }

    @Test func theWayIsEncryptedAndTheServerIsChecked() async throws {
        let server = try await PostgreSQLServer.start(.init(hasTLS: true))
        let elsewhere = try await PostgreSQLServer.start(
            .init(hasTLS: true, certifiedNames: "DNS:db.elsewhere.example"))
        #expect(try await isEncrypted(server, "require", nil))
        #expect(try await isEncrypted(server, "verify-ca", server))
        #expect(try await isEncrypted(server, "verify-full", server))

        // Nobody known vouches for it.
        for mode in ["verify-ca", "verify-full"] {
            let error = await failure { try await isEncrypted(server, mode, elsewhere) }
            #expect(error?.reason == "sql.untrusted_server" && error?.code == .unavailable && error?.retry == .never)
            #expect(error?.message.contains("certificate verify failed") == true, "\(error?.message ?? "")")
        }
        // It is another's: who only asks who vouches for it does not mind.
        #expect(try await isEncrypted(elsewhere, "verify-ca", elsewhere))
        let error = await failure { try await isEncrypted(elsewhere, "verify-full", elsewhere) }
        #expect(error?.reason == "sql.untrusted_server" && error?.retry == .never)
        for words in ["\"db.elsewhere.example\"", "does not match host name \"127.0.0.1\""] {
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
        try await elsewhere.stop()
        try await server.stop()
    }

    /// Whoever stands between could have taken TLS away.
    @Test(arguments: ["require", "verify-ca", "verify-full"])
    func aServerWithoutTLSIsRefusedWhereItIsAskedFor(_ mode: String) async throws {
        let server = try await PostgreSQLServer.shared()
        let trusted = try await PostgreSQLServer.start(.init(hasTLS: true))
        let error = await failure { try await isEncrypted(server, mode, trusted) }
        #expect(error?.reason == "sql.untrusted_server" && error?.code == .unavailable && error?.retry == .never)
        #expect(error?.message.contains("does not support SSL") == true, "\(error?.message ?? "")")
        try await trusted.stop()
    }

    @Test func anAuthorityThatIsNotThereIsSaid() async throws {
        let server = try await PostgreSQLServer.start(.init(hasTLS: true))
        let error = await failure {
            try await EngineFixture.open(server, "postgres") {
                $0.server.sslMode = "verify-full"
                $0.server.authority = "/nowhere/ca.pem"
                $0.pool.waitMilliseconds = 60_000
            }
        }
        #expect(error?.reason == "sql.untrusted_server")
        #expect(error?.message.contains("/nowhere/ca.pem") == true, "\(error?.message ?? "")")
        try await server.stop()
    }
}
