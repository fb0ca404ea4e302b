// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Crypto
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Testing
import TheatreManifest

/// Keys, services, second factors, merges and bans on the real server, on each engine: the gateway learns by event.
@Suite(.serialized) struct CredentialTests {
    @Test(arguments: StorageEngine.allCases)
    func whatAPersonAndAProgramComeWithCountsUntilItIsTakenAway(_ engine: StorageEngine) async throws {
        let (deployment, environment) = try await engine.deployment()
        let signing = P256.Signing.PrivateKey()
        let folder = try TemporaryFolder()
        try folder.writeKey("session/0001.jwk", SigningKey.jwk(signing))
        let server = try await ServerProcess.start(deployment.root, folder: folder, environment: environment)
        let person = try await Account.new(on: server)
        var token = try SignedToken(try #require(person.client.token))
        token.claims["sub"] = .string("usr_admin")
        token.claims["sid"] = nil
        token.claims["roles"] = .array([.string("admin"), .string("user")])
        let admin = Client(
            url: server.client.url, token: try token.signed { try signing.signature(for: $0).rawRepresentation })

        try await key(person, server)
        try await service(admin, server)
        let guest = try await guest(person, server)
        try await ban(guest, by: admin, server)
        try await server.stop()
    }

    /// A key does what it says, nothing else, and nothing once it was revoked.
    private func key(_ person: Account, _ server: ServerProcess) async throws {
        let made = try await person.client.expect(
            201, .POST, "/api/v1/me/keys",
            .object([
                "name": .string("nightly"), "scopes": .array([.string("project:list")]),
                "expires_at": .string(Self.tomorrow),
            ]))
        let program = Client(url: server.client.url, token: try made.text("/key"))
        _ = try await program.expect(200, .GET, "/api/v1/projects")
        let other = try await program.get("/api/v1/me")
        #expect(other.status == 403 && other.text.contains("auth.scope"), "\(other.text)")
        #expect(other.headers.first(name: "www-authenticate")?.contains("insufficient_scope") == true)
        let shown = try await person.client.expect(200, .GET, "/api/v1/me/keys")
        #expect(shown.value(at: "/items/0/key")?.string == nil && shown.value(at: "/items/0/name")?.string == "nightly")
        _ = try await person.client.expect(
            200, .DELETE, "/api/v1/me/keys/\(try made.text("/id"))", key: Account.key())
        try await eventually("the key counts no more") {
            try await program.get("/api/v1/projects").status == 401 ? true : nil
        }
    }

    /// A service gets a token by a form, within its scopes, until it is ended.
    private func service(_ admin: Client, _ server: ServerProcess) async throws {
        let made = try await admin.expect(
            201, .POST, "/api/v1/admin/clients",
            .object(["name": .string("farm"), "scopes": .array([.string("me:nothing")])]))
        let form =
            "grant_type=client_credentials&client_id=svc%3Afarm&client_secret=\(try made.text("/client_secret"))"
        let answer = try await post(form, to: "/oauth/token", server)
        #expect(answer.status == 200, "\(answer.body)")
        let service = Client(
            url: server.client.url, token: try JSONValue(json: Data(answer.body.utf8)).text("/access_token"))
        // It is let in as a service, which is no person.
        let refused = try await service.get("/api/v1/me")
        #expect(refused.status == 403 && refused.text.contains("auth.access"), "\(refused.text)")
        _ = try await admin.expect(200, .DELETE, "/api/v1/admin/clients/svc:farm", key: Account.key())
        #expect(try await post(form, to: "/oauth/token", server).status == 401)
        try await eventually("its tokens count no more") {
            try await service.get("/api/v1/me").status == 401 ? true : nil
        }
        let metadata = try await server.client.expect(200, .GET, "/.well-known/openid-configuration")
        #expect(metadata["token_endpoint"]?.string?.hasSuffix("/oauth/token") == true)
        let key = try await server.client.expect(200, .GET, "/.well-known/jwks.json")
        #expect(key["keys"]?.array?.isEmpty == false)
    }

    /// A guest takes over the person's account, whose tokens end by it.
    private func guest(_ person: Account, _ server: ServerProcess) async throws -> Client {
        let secret = String(repeating: "g", count: 43)
        let session = try await server.client.expect(
            200, .POST, "/api/v1/auth/guest", .object(["device_secret": .string(secret)]))
        let guest = Client(url: server.client.url, token: try session.text("/access_token"))
        let merging: [String: JSONValue] = [
            "provider": .string("password"), "identifier": .string(person.email),
            "secret": .string(person.password),
        ]
        let told = try await guest.expect(
            200, .POST, "/api/v1/me/merges", .object(merging.merging(["dry_run": .bool(true)]) { $1 }),
            key: Account.key())
        #expect(told["from"]?.string == person.id && told["id"]?.string == nil)
        _ = try await guest.expect(200, .POST, "/api/v1/me/merges", .object(merging), key: Account.key())
        try await eventually("the tokens of the account that was taken over count no more") {
            try await person.client.get("/api/v1/me").status == 401 ? true : nil
        }
        let me = try await guest.expect(200, .GET, "/api/v1/me").text("/id")
        #expect(try await guest.expect(200, .GET, "/api/v1/users/\(person.id)").text("/id") == me)
        let again = try await Account.signIn(on: server, person.email, person.password)
        #expect(again.id == me)
        #expect(try await guest.expect(200, .GET, "/api/v1/me/identities")["items"]?.array?.count == 2)
        return guest
    }

    /// Who is banned is out at once and does not come back in until he is let.
    private func ban(_ guest: Client, by admin: Client, _ server: ServerProcess) async throws {
        let id = try await guest.expect(200, .GET, "/api/v1/me").text("/id")
        let path = "/api/v1/admin/users/\(id)/ban"
        let reason: JSONValue = .object(["reason": .string("shouts")])
        #expect(try await guest.send(.PUT, path, reason, headers: [("Idempotency-Key", Account.key())]).status == 403)
        _ = try await admin.expect(200, .PUT, path, reason, key: Account.key())
        try await eventually("the banned one is out") { try await guest.get("/api/v1/me").status == 401 ? true : nil }
        let secret: JSONValue = .object(["device_secret": .string(String(repeating: "g", count: 43))])
        let refused = try await server.client.send(.POST, "/api/v1/auth/guest", secret)
        #expect(refused.status == 403 && refused.text.contains("accounts.banned"), "\(refused.text)")
        _ = try await admin.expect(200, .DELETE, path, key: Account.key())
        _ = try await server.client.expect(200, .POST, "/api/v1/auth/guest", secret)
    }

    private func post(_ form: String, to path: String, _ server: ServerProcess) async throws
        -> (status: UInt, body: String)
    {
        var request = HTTPClientRequest(url: server.client.url + path)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: form))
        let response = try await server.client.http.execute(request, timeout: .seconds(60))
        return (response.status.code, String(buffer: try await response.body.collect(upTo: 1 << 20)))
    }

    private static var tomorrow: String { Date.ISO8601FormatStyle().format(Date(timeIntervalSinceNow: 86_400)) }
}
