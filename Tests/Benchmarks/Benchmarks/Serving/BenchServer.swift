// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import PostgreSQLServer

/// A `theatre serve` of its own with accounts, access, a password each and an echo, and somebody who is signed in.
struct BenchServer {
    let port: Int
    /// Of somebody signed in, who owns the project.
    let token: String
    let project: String
    private let process: pid_t
    private let log: String

    static let person = #"{"email":"bench@example.org","password":"walks over the bridge"}"#

    /// What takes part of the default deployment.
    private static let parts = ["20-password.yaml", "21-accounts.yaml", "22-access.yaml", "23-keyfile.yaml"]

    /// Starts it with its state in `state`.
    ///
    /// - Parameters:
    ///   - defaults: the default deployment.
    ///   - storage: declaration of the instance `storage`, in YAML.
    static func start(program: String, defaults: String, state: String, storage: String) throws -> BenchServer {
        let folder = "\(state)/plugins.d"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var files = [
            "00-host.yaml": """
            development: true
            state: \(state)/state
            storage: storage
            tokens: {key: session, issuer: theatre, audience: theatre}
            log: {level: warning}
            rates:
              default: {per_minute: 10000000, burst: 1000000}
              login: {per_minute: 10000000, burst: 1000000}
              open: {per_minute: 0}
            audit: {key: audit}

            """,
            "10-storage.yaml": storage, "60-echo.yaml": "plugin: EchoGuarded\ninstance: echo\ncritical: true\n",
        ]
        for part in parts {
            files[part] = try String(contentsOf: URL(filePath: "\(defaults)/\(part)"), encoding: .utf8)
        }
        for (name, text) in files { try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)")) }
        return try serve(program, folder, log: "\(state)/log")
    }

    private static func serve(_ program: String, _ folder: String, log: String) throws -> BenchServer {
        var ready: [Int32] = [0, 0]
        guard pipe(&ready) == 0 else { throw BenchmarkFailure("no pipe") }
        for end in ready { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let output = open(log, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        let process = try Command.start(
            [program, "serve", "--port", "0", "--ready-fd", "3", "--plugins-d", folder], output: output,
            inherited: ready[1])
        close(ready[1])
        close(output)
        let line = Command.read(ready[0], until: 10)
        close(ready[0])
        guard let url = try? JSONDecoder().decode(Ready.self, from: Data(line.utf8)).url,
            let port = url.split(separator: ":").last.flatMap({ Int($0) })
        else {
            let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw BenchmarkFailure("the host did not become ready: \(line) \(said)")
        }
        let base = "http://127.0.0.1:\(port)/api/v1"
        _ = try post("\(base)/auth/register", person)
        let session = try JSONDecoder().decode(Session.self, from: post("\(base)/auth/login", person))
        let project = try JSONDecoder().decode(
            Project.self, from: post("\(base)/projects", #"{"name":"bench"}"#, session.accessToken))
        return BenchServer(port: port, token: session.accessToken, project: project.id, process: process, log: log)
    }

    /// Ends it and waits.
    func stop() {
        kill(process, SIGTERM)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }

    private static func post(_ url: String, _ body: String, _ token: String? = nil) throws -> Data {
        var words = ["/usr/bin/curl", "-sS", "--fail-with-body", "-H", "content-type: application/json", "-d", body]
        words += ["-H", "idempotency-key: \(UInt64.random(in: 0 ... .max))", "--noproxy", "*"]
        if let token { words += ["-H", "authorization: Bearer \(token)"] }
        return Data(try Command.output(words + [url]).utf8)
    }

    private struct Ready: Decodable { var url: String }
    private struct Session: Decodable {
        var accessToken: String

        enum CodingKeys: String, CodingKey { case accessToken = "access_token" }
    }
    private struct Project: Decodable { var id: String }
}
