// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import PostgreSQLServer
import TheatreManifest

/// A deployment with its state folder, and the commands of an operator on them.
struct OperatorDesk {
    let deployment: TemporaryFolder
    /// What is left when a server ends; the server's own folder.
    let folder: TemporaryFolder
    private let environment: [String: String]

    /// The default deployment on a storage.
    init(_ engine: StorageEngine) async throws {
        (deployment, environment) = try await engine.deployment()
        folder = try TemporaryFolder()
    }

    /// The fixture `Journal` on a storage.
    ///
    /// - Parameter journal: its configuration, as YAML between braces.
    init(_ engine: StorageEngine, journal: String, workMilliseconds: Int = 0) async throws {
        var parts =
            switch engine {
            case .sqlite: FaultEngine.sqlite
            case .postgresql: try await FaultEngine.postgreSQL(PostgreSQLServer.shared())
            }
        (parts.journal, parts.workMilliseconds) = (journal, workMilliseconds)
        deployment = try TemporaryFolder(parts.deployment)
        environment = parts.environment
        folder = try TemporaryFolder()
    }

    func serve(_ arguments: [String] = []) async throws -> ServerProcess {
        try await ServerProcess.start(
            deployment.root, folder: folder, arguments: arguments, environment: environment)
    }

    /// Gives the fixture another configuration, which a server takes up.
    func configure(journal: String, of server: ServerProcess) async throws {
        try deployment.write(
            "20-journal.yaml",
            "plugin: Journal\ninstance: journal\ngrants: {publishes: [journal]}\nconfig: {\(journal)}\n")
        server.hangUp()
        try await eventually("the configuration is taken up") {
            server.output.contains("plugins.d was read again") ? true : nil
        }
    }

    /// What `theatre …` prints; the words are between spaces.
    ///
    /// - Throws: where it ends with another status.
    @discardableResult
    func run(_ line: String, status: Int32 = 0) async throws -> String {
        let result = try await theatre(
            line.split(separator: " ").map(String.init) + ServerProcess.options(deployment.root, nil)
                + ["--state", folder.path("state")], environment: environment)
        guard result.status == status else {
            throw Unexpected("\(line) ended with \(result.status), not \(status):\n\(result.output)")
        }
        return result.output
    }

    /// What it prints with `--json`.
    func json(_ line: String, status: Int32 = 0) async throws -> JSONValue {
        let output = try await run("\(line) --json", status: status)
        do { return try JSONValue(json: Data(output.utf8)) } catch { throw Unexpected("\(line) printed \(output)") }
    }

    /// Commands that are refused, each with the status it ends with and what it says.
    func expectRefusals(_ refusals: [(line: String, status: Int32, words: String)]) async throws {
        for refusal in refusals {
            let output = try await run(refusal.line, status: refusal.status)
            guard output.contains(refusal.words) else {
                throw Unexpected("\(refusal.line) does not say \(refusal.words):\n\(output)")
            }
        }
    }
}

extension JournalClient {
    /// Runs `body` with a client of a server.
    static func with(_ server: ServerProcess, _ body: (JournalClient) async throws -> Void) async throws {
        let http = makeHTTP()
        do {
            try await body(JournalClient(url: server.url, http: http))
        } catch {
            try await http.shutdown()
            throw Unexpected("\(error)\n\(server.output.suffix(3000))")
        }
        try await http.shutdown()
    }

    /// Stores entries of these ids, of one aggregate.
    func store(_ ids: [String]) async throws {
        for id in ids {
            let outcome = await enter(JournalDraft(id: id, aggregate: "shared", number: 0))
            guard case .stored = outcome else { throw Unexpected("\(id): \(outcome)") }
        }
    }
}
