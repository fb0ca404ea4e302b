// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import NIOHTTP1
import TheatreManifest

/// The default deployment, with a signing key that the test has too, passwords that cost little, and rates that let an
/// attacker try.
final class AttackedServer: Sendable {
    let server: ServerProcess
    let signing: P256.Signing.PrivateKey
    private let deployment: TemporaryFolder

    /// - Parameters:
    ///   - engine: what it stores with.
    ///   - host: lines of 00-host.yaml.
    ///   - password: the configuration of passwords.
    init(
        _ engine: StorageEngine = .sqlite, host: String = "", password: String = "{memory_kib: 64, iterations: 1}"
    ) async throws {
        signing = P256.Signing.PrivateKey()
        let (deployment, environment) = try await engine.deployment()
        self.deployment = deployment
        let settings = deployment.path("00-host.yaml")
        let text = try String(contentsOf: URL(filePath: settings), encoding: .utf8).replacing(
            #/per_minute: [0-9]+, burst: [0-9]+/#, with: "per_minute: 10000000, burst: 1000000")
        try deployment.write("00-host.yaml", text + host)
        try deployment.write("20-password.yaml", try defaultFile("20-password.yaml") + "config: \(password)\n")
        let folder = try TemporaryFolder()
        try folder.writeKey("session/0001.jwk", SigningKey.jwk(signing))
        server = try await ServerProcess.start(deployment.root, folder: folder, environment: environment)
    }

    /// A token for the same person that lasts, belongs to no session that could be ended, and says what the test wants.
    func lasting(_ token: String?, _ claims: [String: JSONValue] = [:]) throws -> String {
        var token = try SignedToken(token ?? "")
        token.claims["sid"] = .null
        token.claims["exp"] = .integer(4_000_000_000)
        token.claims.merge(claims) { $1 }
        return try token.signed { try signing.signature(for: $0).rawRepresentation }
    }
}

/// What no answer may hold.
enum Inside {
    private static let words = [
        ".swift", "/home/", "/root/", "/tmp/", ".build/", "SQLITE_", "sqlite3", "libpq", "pg_catalog", "SQLSTATE",
        "no such table",
        "no such column",
        "syntax error", "INSERT INTO", "Fatal error", "Traceback", "stack trace",
    ]

    /// Those that an answer holds, beside what the caller himself had sent.
    static func leaks(_ answer: String, sent: String = "") -> [String] {
        words.filter { answer.contains($0) && !sent.contains($0) }
    }
}
