// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Crypto
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Synchronization
import Testing
import TheatreManifest
import Toolchains

/// `theatre keys` beside a running host: nobody who signs in, and nobody who verifies, notices a rotation.
@Suite(.serialized) struct KeyRotationTests {
    @Test func aKeyIsPublishedBeforeItSignsAndWhatTheOldOneSignedCountsOn() async throws {
        let signing = P256.Signing.PrivateKey()
        let folder = try TemporaryFolder()
        try folder.writeKey("session/0001.jwk", SigningKey.jwk(signing))
        let arguments = ["--test-clock", folder.path("clock")]
        let server = try await ServerProcess.start(Sources.defaultDeployment, folder: folder, arguments: arguments)
        let person = try await Account.new(on: server)
        let before = try #require(person.client.token)
        let spare = try #require(try await Account.signIn(on: server, person.email, person.password).client.token)
        let old = try kid(before)
        let visitors = Visitors(server.client, before)

        let made = try await keys(["rotate", "session"], server)
        let next = try made.text("/kid")
        #expect(made["version"] == .integer(2) && made["algorithm"]?.string == "ES256" && next != old)
        try await eventually("the next version is published") {
            try await published(server) == [next, old] ? true : nil
        }
        #expect(try await states(server) == ["next", "signing"])
        let during = try #require(try await Account.signIn(on: server, person.email, person.password).client.token)
        #expect(try kid(during) == old)
        let twice = try await command(["rotate", "session"], server)
        #expect(twice.status == 1 && twice.output.contains("retire it first"), "\(twice.output)")

        try await TestClock(folder.path("clock")).advance(milliseconds: 601_000)
        let after = try #require(try await Account.signIn(on: server, person.email, person.password).client.token)
        #expect(try kid(after) == next)
        for token in [before, during, after] {
            _ = try await Client(url: server.client.url, token: token).expect(200, .GET, "/api/v1/me")
        }
        let judged = try judge(server, folder, [before, during, after])
        #expect(judged["keys"]?.array?.prefix(2) == [.string(next), .string(old)])
        for (index, id) in [old, old, next].enumerated() {
            let verdict = judged.value(at: "/tokens/\(index)")
            #expect(verdict?["kid"]?.string == id && verdict?["sub"]?.string == person.id, "\(judged)")
        }
        #expect(try await introspect(before, server, signing)["active"] == .bool(true))
        #expect(await visitors.end() == [])

        try await retire(old, next, server)
        // Nothing of the host's remembers this one.
        try await eventually("what the version made that is gone counts no more") {
            try await Client(url: server.client.url, token: spare).get("/api/v1/me").status == 401 ? true : nil
        }
        #expect(try judge(server, folder, [spare]).value(at: "/tokens/0/error")?.string == "unknown key")
        try await server.stop()
        try await audited(server, old, next)
        let again = try await ServerProcess.start(Sources.defaultDeployment, folder: folder, arguments: arguments)
        try await again.stop()
        try await audited(again, old, next)
    }

    /// The version that signs is never removed, and an old one only by force while what it made counts.
    private func retire(_ old: String, _ next: String, _ server: ServerProcess) async throws {
        // Commands go by the machine's clock, by which the old one still signs: it is asked for by its number.
        let signs = try await command(["retire", "session", "1"], server)
        #expect(signs.status == 1 && signs.output.contains("signs; rotate the key first"), "\(signs.output)")
        let emergency = try await keys(["rotate", "session", "--after", "0", "--dry-run"], server)
        #expect(emergency["kid"] == nil && emergency["version"] == .integer(3))
        #expect(try await states(server) == ["next", "signing"])
        let third = try await keys(["rotate", "session", "--after", "0"], server).text("/kid")
        let young = try await command(["retire", "session", "--", old], server)
        #expect(young.status == 1 && young.output.contains("--force"), "\(young.output)")
        let forced = try await keys(["retire", "session", "1", "--force"], server)
        #expect(forced["kid"]?.string == old)
        try await eventually("it is published no more") {
            try await published(server) == [third, next] ? true : nil
        }
    }

    /// Each change is one row, whoever looks after it and however often.
    private func audited(_ server: ServerProcess, _ old: String, _ next: String) async throws {
        let listed = try await theatre(
            ["audit", "list", "--resource", "keys:session", "--json", "--state", server.folder.path("state")]
                + ServerProcess.options(Sources.defaultDeployment, nil))
        let answer = try JSONValue(json: Data(listed.output.utf8))
        let rows = answer.array ?? answer["items"]?.array ?? answer["rows"]?.array ?? []
        let actions = rows.map { "\($0["action"]?.string ?? "") \($0["decision"]?.string ?? "")" }
        #expect(actions.count { $0.hasPrefix("rotate ") } == 2, "\(listed.output)")
        #expect(actions.count { $0 == "rotate version \(next)" } == 1)
        #expect(actions.filter { $0.hasPrefix("retire ") } == ["retire version \(old)"])
    }

    /// What a service is told, that comes with Basic.
    private func introspect(
        _ token: String, _ server: ServerProcess, _ signing: P256.Signing.PrivateKey
    ) async throws -> JSONValue {
        var admin = try SignedToken(token)
        admin.claims["sub"] = .string("usr_admin")
        admin.claims["sid"] = nil
        admin.claims["roles"] = .array([.string("admin"), .string("user")])
        let made = try await Client(
            url: server.client.url, token: try admin.signed { try signing.signature(for: $0).rawRepresentation }
        ).expect(
            201, .POST, "/api/v1/admin/clients",
            .object(["name": .string("judge"), "scopes": .array([.string("token:introspect")])]))
        var request = HTTPClientRequest(url: server.client.url + "/oauth/introspect")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        let proof = Data("svc%3Ajudge:\(try made.text("/client_secret"))".utf8).base64EncodedString()
        request.body = .bytes(ByteBuffer(string: "token=\(token)"))
        let nobody = try await server.client.http.execute(request, timeout: .seconds(60))
        #expect(nobody.status.code == 401)
        #expect(nobody.headers.first(name: "www-authenticate")?.hasPrefix("Basic") == true)
        _ = try await nobody.body.collect(upTo: 1 << 20)
        request.headers.add(name: "Authorization", value: "Basic \(proof)")
        let response = try await server.client.http.execute(request, timeout: .seconds(60))
        #expect(response.status.code == 200)
        return try JSONValue(json: Data(String(buffer: try await response.body.collect(upTo: 1 << 20)).utf8))
    }

    private func judge(_ server: ServerProcess, _ folder: TemporaryFolder, _ tokens: [String]) throws -> JSONValue {
        let script = "\(Sources.root)/Tests/Foreign/verify_tokens.py"
        let words = [script, "\(server.url)/.well-known/jwks.json", "theatre", "theatre"] + tokens
        let said = try shell("/usr/bin/python3 " + words.map { "'\($0)'" }.joined(separator: " "), in: folder.root)
        return try JSONValue(json: said)
    }

    private func published(_ server: ServerProcess) async throws -> [String] {
        let set = try await server.client.expect(200, .GET, "/.well-known/jwks.json")
        // The key of receipts, which is not rotated here, comes last.
        let all = set["keys"]?.array?.compactMap { $0["kid"]?.string } ?? []
        return all.dropLast()
    }

    private func states(_ server: ServerProcess) async throws -> [String] {
        try await keys(["list"], server).array?.filter { $0["key"]?.string == "session" }
            .compactMap { $0["state"]?.string } ?? []
    }

    private func keys(_ arguments: [String], _ server: ServerProcess) async throws -> JSONValue {
        // What comes after -- is no option.
        let place = arguments.firstIndex(of: "--") ?? arguments.endIndex
        let result = try await command(arguments[..<place] + ["--json"] + arguments[place...], server)
        guard result.status == 0 else { throw Unexpected("\(arguments): \(result.output)") }
        // A warning may come besides.
        let line = result.output.split(separator: "\n").first { $0.hasPrefix("{") || $0.hasPrefix("[") }
        return try JSONValue(json: Data((line ?? "").utf8))
    }

    private func command(_ arguments: [String], _ server: ServerProcess) async throws -> CommandResult {
        let place = arguments.firstIndex(of: "--") ?? arguments.endIndex
        let options =
            ["--state", server.folder.path("state")] + ServerProcess.options(Sources.defaultDeployment, nil)
        return try await theatre(["keys"] + arguments[..<place] + options + arguments[place...])
    }

    private func kid(_ token: String) throws -> String { try SignedToken(token).header["kid"]?.string ?? "" }
}

/// Somebody who asks all the time, and notes what he is refused.
private final class Visitors: Sendable {
    private let task: Task<[String], Never>
    private let isOver: Over

    private final class Over: Sendable {
        let flag = Atomic(false)
    }

    init(_ client: Client, _ token: String) {
        let over = Over()
        isOver = over
        var client = client
        client.token = token
        let asking = client
        task = Task {
            var refusals: [String] = []
            while !over.flag.load(ordering: .relaxed) {
                do {
                    let answer = try await asking.get("/api/v1/me")
                    if answer.status != 200 { refusals.append("\(answer.status) \(answer.text)") }
                    // Below what one caller may ask in a minute.
                    try await Task.sleep(for: .milliseconds(60))
                } catch {
                    refusals.append("\(error)")
                }
            }
            return refusals
        }
    }

    /// What was refused.
    func end() async -> [String] {
        isOver.flag.store(true, ordering: .relaxed)
        return await task.value
    }
}
