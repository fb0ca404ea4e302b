// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import NIOHTTP1
import Testing
import TheatreManifest

/// A person sees what is held of him, has it erased, and nothing in the database says who he was.
@Suite(.serialized) struct PrivacyTests {
    private static let week: Int64 = 7 * 86_400_000
    private static let nickname = "WandererOverTheLongBridge"

    @Test func whatIsHeldIsShownAndErasedForGood() async throws {
        let folder = try TemporaryFolder()
        let server = try await ServerProcess.start(
            Sources.defaultDeployment, folder: folder, arguments: ["--test-clock", folder.path("clock")])
        let clock = TestClock(folder.path("clock"))
        let person = try await Account.new(on: server)
        let client = person.client
        _ = try await client.expect(
            200, .PATCH, "/api/v1/me",
            .object(["nickname": .string(Self.nickname), "bio": .string("knows the \(Self.nickname)")]),
            key: Account.key())
        _ = try await client.expect(
            201, .POST, "/api/v1/projects", .object(["name": .string("Lanterns"), "language": .string("zh")]),
            key: Account.key())
        _ = try await client.expect(201, .POST, "/api/v1/orders", Account.order(3), key: Account.key())

        let export = try await client.expect(200, .GET, "/api/v1/me/export")
        let parts = try #require(export["parts"]?.array)
        let names = parts.compactMap { $0["instance"]?.string }
        #expect(names == ["accounts", "access", "drafting", "inbox", "ledger", "orders"])
        #expect(parts[0].value(at: "/data/email")?.string == person.email)
        #expect(parts[0].value(at: "/data/nickname")?.string == Self.nickname)
        #expect(parts[1].value(at: "/data/memberships")?.array?.count == 1)
        #expect(parts[5].value(at: "/data/orders")?.array?.count == 1)
        #expect(export["next_cursor"] == .null)

        // Taken back and asked for again.
        let first = try await client.expect(202, .POST, "/api/v1/me/erasure", .object([:]), key: Account.key())
        #expect(first["state"]?.string == "cooling")
        let back = try await client.expect(200, .DELETE, "/api/v1/me/erasure", key: Account.key())
        #expect(back["state"]?.string == "cancelled" && back["id"] == first["id"])
        let wish = try await client.expect(202, .POST, "/api/v1/me/erasure", .object([:]), key: Account.key())
        #expect(wish["id"] != first["id"])
        let id = try wish.text("/id")
        #expect(try await server.client.expect(200, .GET, "/api/v1/erasures/\(id)")["state"]?.string == "cooling")
        #expect(try await server.client.get("/api/v1/erasures/era_none").status == 404)

        try await clock.advance(milliseconds: Self.week + 1000)
        let erased = try await eventually("the account is erased", seconds: 60) { () -> JSONValue? in
            let erasure = try await server.client.expect(200, .GET, "/api/v1/erasures/\(id)")
            return erasure["state"]?.string == "erased" ? erasure : nil
        }
        try await checkReceipt(try erased.text("/receipt"), of: person, id, server)

        let login: JSONValue = .object(["email": .string(person.email), "password": .string(person.password)])
        #expect(try await server.client.post("/api/v1/auth/login", login).status == 401)
        #expect(try await client.get("/api/v1/me").status == 401)
        let audited = try PluginAudit.rows(
            of: server, "SELECT action FROM host__audit WHERE resource = 'person:\(person.id)' AND outcome = 'changed'")
        #expect(audited == ["destroy_key"])
        try await server.stop()
        try expectNothing(of: [person.email, Self.nickname], below: folder.path("state/sqlite"))

        // The address is free for somebody new.
        let again = try await ServerProcess.start(
            Sources.defaultDeployment, folder: folder, arguments: ["--test-clock", folder.path("clock")])
        let fresh = try await again.client.expect(201, .POST, "/api/v1/auth/register", login)
        #expect(try fresh.text("/account/id") != person.id)
        try await again.stop()
    }

    /// Every page is followed: no message and no entry is left out, none comes twice, and no answer is over 1 MiB.
    @Test func aLongHistoryIsShownPageByPage() async throws {
        let folder = try TemporaryFolder()
        let server = try await ServerProcess.start(Sources.defaultDeployment, folder: folder)
        let person = try await Account.new(on: server)
        // Three megabytes of messages, and entries beside them.
        let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
        for statement in [
            """
            INSERT INTO inbox__messages (tenant, user_id, id, message_id, category, title, body, data, at)
            \(numbers) SELECT 'default', '\(person.id)', 'msg_' || i, 'm' || i, 'test', 'No. ' || i,
                printf('%.*c', 1000 + i * 10, 'x') || printf('%.*c', 8000, 'y'), '{}', i FROM n
            """,
            """
            INSERT INTO ledger__entries (tenant, id, key, digest, memo, reference, at)
            \(numbers) SELECT 'default', 'ent_' || i, 'key_' || i, x'00', printf('%.*c', i, 'z'), '', i FROM n
            """,
            """
            INSERT INTO ledger__postings (tenant, entry_id, place, account, currency, amount)
            \(numbers) SELECT 'default', 'ent_' || i, 0, 'user:\(person.id):CHIP', 'CHIP', i FROM n
            """,
        ] {
            // The server writes too; nothing is returned while it does.
            _ = try await eventually("the rows are there") {
                try PluginAudit.rows(of: server, "\(statement) RETURNING 1").count == 300 ? true : nil
            }
        }

        var (path, pages, rows) = ("/api/v1/me/export", 0, [String: [String]]())
        while pages < 20 {
            let page = try await person.client.get(path)
            #expect(page.status == 200 && page.body.count < 1 << 20)
            let export = try page.json
            for part in try #require(export["parts"]?.array) {
                for (list, holder) in [("messages", "inbox"), ("entries", "ledger")]
                where part["instance"]?.string == holder {
                    let found = part.value(at: "/data/\(list)")?.array ?? []
                    rows[list, default: []] += found.compactMap { $0["id"]?.string }
                }
            }
            pages += 1
            guard let next = export["next_cursor"]?.string else { break }
            path = "/api/v1/me/export?cursor=\(next)"
        }
        #expect(pages > 3 && pages < 20)
        #expect(rows["messages"]?.count == 300 && rows["entries"]?.count == 300)
        let (messages, entries) = ((1...300).map { "msg_\($0)" }, (1...300).map { "ent_\($0)" })
        #expect(Set(rows["messages"] ?? []) == Set(messages))
        #expect(Set(rows["entries"] ?? []) == Set(entries))

        let refused = try await person.client.get("/api/v1/me/export?cursor=none")
        #expect(refused.status == 400)
        #expect(try refused.json.value(at: "/details/reason")?.string == "request.cursor")
        try await server.stop()
    }

    /// It verifies by the published keys, says what was done, and opens nothing.
    private func checkReceipt(
        _ text: String, of person: Account, _ id: String, _ server: ServerProcess
    ) async throws {
        let receipt = try SignedToken(text)
        #expect(receipt.header["typ"]?.string == "erasure-receipt+jwt")
        let set = try await server.client.expect(200, .GET, "/.well-known/jwks.json")
        let key = try #require(set["keys"]?.array?.first { $0["kid"] == receipt.header["kid"] })
        let published = try Curve25519.Signing.PublicKey(rawRepresentation: Base64URL.decode(key.text("/x")))
        #expect(published.isValidSignature(receipt.signature, for: receipt.input))
        #expect(receipt.claims["sub"]?.string == person.id && receipt.claims["jti"]?.string == id)
        #expect((receipt.claims["key_destroyed_at"]?.integer ?? 0) > 0)
        let parts = try #require(receipt.claims["parts"])
        #expect(parts.value(at: "/accounts/erased/identities")?.integer == 1)
        #expect(parts.value(at: "/orders/kept")?.array?.isEmpty == false)
        #expect(parts.value(at: "/ledger/kept")?.array?.isEmpty == false)
        #expect(!text.contains(person.email))
        var bearer = server.client
        bearer.token = text
        #expect(try await bearer.get("/api/v1/me").status == 401)
    }

    /// Reads every file, and finds none of the texts.
    private func expectNothing(of texts: [String], below folder: String) throws {
        var searched = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let path = "\(folder)/\(name)"
            var isFolder = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder else { continue }
            let bytes = try Data(contentsOf: URL(filePath: path))
            searched += bytes.count
            for text in texts {
                #expect(bytes.firstRange(of: Data(text.utf8)) == nil, "\(text) is in \(name)")
            }
        }
        #expect(searched > 0)
    }
}
