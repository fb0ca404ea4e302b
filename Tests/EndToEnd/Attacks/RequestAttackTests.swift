// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import NIOHTTP1
import Testing
import TheatreManifest

/// Requests that are well-formed and mean no good: one server for all of them.
@Suite(.serialized) struct RequestAttackTests {
    @Test(arguments: StorageEngine.allCases) func theServerStandsWhatRequestsSay(_ engine: StorageEngine) async throws {
        let attacked = try await AttackedServer(engine)
        let person = try await Account.new(on: attacked.server)
        try await forgedTokens(attacked, person)
        try await replayedRefresh(attacked.server)
        try await badBodies(person)
        try await confusableNames(attacked, person)
        try await FragmentsOfSQL(attacked).sendEverywhere(beside: person)
        #expect(try await person.client.get("/api/v1/me").status == 200)
        try await attacked.server.stop()
    }

    /// Tokens whose header would have the server take its key from elsewhere, or whose claims are no claims. `TokenTests`
    /// has those that are signed wrongly.
    private func forgedTokens(_ attacked: AttackedServer, _ person: Account) async throws {
        let token = try SignedToken(person.client.token ?? "")
        let sign: (Data) throws -> Data = { try attacked.signing.signature(for: $0).rawRepresentation }
        let stranger = P256.Signing.PrivateKey()
        let own = try JSONValue(json: Data(SigningKey.jwk(stranger).utf8))
        var forged: [(String, String)] = []
        let headers: [(String, JSONValue)] = [
            ("jwk", own), ("jku", .string("https://evil.example/jwks.json")),
            ("x5u", .string("https://evil.example/x.pem")),
            ("x5c", .array([.string("MIIB")])), ("kid", .string("../../../../dev/null")),
            ("kid", .string("' OR '1'='1")),
            ("kid", .string("/proc/self/environ")), ("kid", .array([])), ("alg", .string("HS256")),
            ("alg", .string("ES384")),
            ("alg", .array([.string("ES256")])),
        ]
        for (name, value) in headers {
            var other = token
            other.header[name] = value
            forged.append(("\(name) \(value)", try other.signed { try stranger.signature(for: $0).rawRepresentation }))
            let empty = SymmetricKey(data: Data())
            forged.append((name, try other.signed { Data(HMAC<SHA256>.authenticationCode(for: $0, using: empty)) }))
        }
        let claims: [(String, JSONValue)] = [
            ("exp", .string("9999999999")), ("exp", .null), ("exp", .integer(-1)), ("exp", .array([])), ("sub", .null),
            ("sub", .integer(1)), ("iss", .array([.string("theatre")])), ("aud", .string("theatre ")), ("aud", .null),
        ]
        for (name, value) in claims {
            var other = token
            other.claims[name] = value
            forged.append(("\(name) \(value)", try other.signed(sign)))
        }
        let text = person.client.token ?? ""
        forged += [
            ("a part more", text + ".e30"), ("dots", "..."), ("nothing between dots", ".."), ("no token", "x"),
            ("padding", text + "=="), ("a blank", text + "%20"), ("long", text + String(repeating: "A", count: 8000)),
            ("first half", String(text.prefix(text.count / 2))),
        ]
        for (name, forgery) in forged {
            var client = person.client
            client.token = forgery
            let answer = try await client.get("/api/v1/me")
            #expect(answer.status == 401, "\(name): \(answer.text)")
            #expect(Inside.leaks(answer.text) == [] && !answer.text.contains(person.email))
        }
    }

    /// Twenty who trade the same token at once get one successor; whoever trades it after that was traded ends the session.
    private func replayedRefresh(_ server: ServerProcess) async throws {
        let person = try await Account.new(on: server)
        func trade(_ token: String) async throws -> Client.Answer {
            try await server.client.post("/api/v1/auth/refresh", .object(["refresh_token": .string(token)]))
        }
        let answers = try await withThrowingTaskGroup(of: Client.Answer.self) { group in
            for _ in 0..<20 { group.addTask { try await trade(person.refreshToken) } }
            return try await group.reduce(into: [Client.Answer]()) { $0.append($1) }
        }
        let successors = Set(try answers.filter { $0.status == 200 }.map { try $0.json.text("/refresh_token") })
        #expect(successors.count == 1 && answers.allSatisfy { [200, 409, 429, 503].contains($0.status) })
        let next = try #require(successors.first)
        let last = try await trade(next).json.text("/refresh_token")
        #expect(try await trade(person.refreshToken).status == 401)
        #expect(try await trade(last).status == 401, "the session has ended with it")
        try await eventually("its token ends too") {
            try await person.client.get("/api/v1/me").status == 401 ? true : nil
        }
    }

    /// Bodies that are too much, too deep, or no JSON.
    private func badBodies(_ person: Account) async throws {
        let login = "/api/v1/auth/login"
        let deep = String(repeating: "[", count: 2000), objects = String(repeating: #"{"a":"#, count: 800)
        let bad: [(String, [UInt8], Int)] = [
            ("long", Array(#"{"email":"\#(String(repeating: "a", count: 10_000))"}"#.utf8), 413),
            ("deep arrays", Array("{\"email\":\(deep)}".utf8), 400), ("deep objects", Array(objects.utf8), 400),
            ("deep root", Array(deep.utf8), 400), ("nothing", [], 400), ("null", Array("null".utf8), 400),
            ("an array", Array("[]".utf8), 400), ("a text", Array("\"a\"".utf8), 400), ("no end", Array("{".utf8), 400),
            ("twice", Array(#"{"email":"a@b.cd","email":"e@f.gh","password":"x"}"#.utf8), 400),
            ("twice, once escaped", Array(#"{"email":"a@b.cd","em\u0061il":"e@f.gh","password":"x"}"#.utf8), 400),
            ("prototype", Array(#"{"__proto__":{"admin":true},"email":"a@b.cd","password":"x"}"#.utf8), 400),
            ("more than JSON", Array(#"{"email":"a@b.cd","password":"x"} {}"#.utf8), 400),
            ("a comment", Array(#"{"email":"a@b.cd",/**/"password":"x"}"#.utf8), 400),
            ("NaN", Array(#"{"email":NaN}"#.utf8), 400), ("a number", Array(#"{"email":1e400}"#.utf8), 400),
            ("a byte order mark", [0xEF, 0xBB, 0xBF] + Array("{}".utf8), 400),
            ("UTF-16", [0xFE, 0xFF, 0, 0x7B, 0, 0x7D], 400),
            ("no UTF-8", Array(#"{"email":""#.utf8) + [0xC0, 0xAF] + Array(#""}"#.utf8), 400),
            ("half a character", Array(#"{"email":"\ud800","password":"x"}"#.utf8), 400),
            ("an overlong one", Array(#"{"email":""#.utf8) + [0xE0, 0x80, 0xAF] + Array(#""}"#.utf8), 400),
            ("a NUL", Array("{\"email\":\"a\u{0}@b.cd\",\"password\":\"x\"}".utf8), 400),
        ]
        for (name, bytes, status) in bad {
            let head = "POST \(login) HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Type: application/json\r\n"
            let connection = try await RawConnection.ask(
                person.client.url, Array("\(head)Content-Length: \(bytes.count)\r\n\r\n".utf8) + bytes)
            let text = try await connection.end()
            #expect(connection.statuses == [status], "\(name): \(text)")
            #expect(Inside.leaks(text) == [], "\(name)")
        }
        for number in ["1e400", "9223372036854775808", "-1", "1.5", "1e3.", "00", "0x10", "\"1\u{661}\"", "1e99999999"]
        {
            let text = #"{"chips":\#(number),"currency":"CNY"}"#
            let connection = try await RawConnection.ask(
                person.client.url,
                """
                POST /api/v1/orders HTTP/1.1\r\nHost: t\r\nConnection: close\r\nAuthorization: Bearer \
                \(person.client.token ?? "")\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)
                """.utf8)
            let answer = try await connection.end()
            #expect(connection.statuses == [400], "\(number): \(answer)")
        }
        let packed = try await person.client.send(.POST, login, .object([:]), headers: [("Content-Encoding", "gzip")])
        #expect(packed.status == 415)
        let endless = try await RawConnection.ask(
            person.client.url, "POST \(login) HTTP/1.1\r\nHost: t\r\nContent-Length: 999999999999\r\n\r\n{".utf8)
        try await endless.answers(1)
        #expect(endless.statuses == [413])
        await endless.close()
    }

    /// A name that only looks like another's never becomes it, nor gets in by it.
    private func confusableNames(_ attacked: AttackedServer, _ person: Account) async throws {
        let server = attacked.server
        let name = person.email.prefix { $0 != "@" }
        func credentials(_ email: String, _ password: String = "walks over another bridge 9") -> JSONValue {
            .object(["email": .string(email), "password": .string(password)])
        }
        let alike = [
            person.email.replacing("e", with: "е"), person.email.replacing("o", with: "ο"),
            person.email.replacing("p", with: "ｐ"), person.email.replacing("s", with: "ſ"),
            person.email.replacing("e", with: "e\u{301}"), person.email.replacing("e", with: "é"),
            person.email.replacing("@", with: "＠"), person.email.replacing(".", with: "。"),
            person.email.replacing("-", with: "\u{2011}"), "\u{202E}\(person.email)", "\u{FEFF}\(person.email)",
            "\(name)\u{200D}@example.com", "\(name)\u{AD}@example.com", "\(name)@example.com\u{0}",
            "\(name)@exam\u{200B}ple.com", "\(name)@example.com\r\nBcc: a@b.cd",
            "\(name)@example.com,evil@evil.example",
            "\"\(person.email)\"@evil.example", "<\(person.email)>", "\(name)\u{212A}@example.com",
        ]
        for email in alike {
            let made = try await server.client.post("/api/v1/auth/register", credentials(email))
            #expect(made.status == 400, "\(email.debugDescription): \(made.text)")
            let signIn = try await server.client.post("/api/v1/auth/login", credentials(email, person.password))
            #expect(signIn.status == 401, "\(email.debugDescription): \(signIn.text)")
        }
        for same in [person.email.uppercased(), " \(person.email) "] {
            #expect(try await server.client.post("/api/v1/auth/register", credentials(same)).status == 409)
        }
        // Roles of one's own are picked from letters that have no double, and by no name that there is.
        var admin = person.client
        admin.token = try attacked.lasting(
            person.client.token, ["roles": .array([.string("admin"), .string("user")])])
        let role: JSONValue = .object(["base": .string("VIEWER"), "permissions": .array([])])
        for name in ["owner", "admin", "ADMIN", "аdmin", "ad%00min", "admin%20", "%EF%BD%81dmin", "e\u{301}ditor"] {
            let path = name.addingPercentEncoding()
            let answer = try await admin.send(.PUT, "/api/v1/auth/roles/\(path)", role)
            #expect(answer.status == 400, "\(name): \(answer.text)")
        }
        for name in ["аdmin", "Admin", "admin\u{200B}", "admin ", ""] {
            let client: JSONValue = .object(["name": .string(name), "scopes": .array([.string("project:read")])])
            let answer = try await admin.post("/api/v1/admin/clients", client)
            #expect(answer.status == 400, "\(name): \(answer.text)")
        }
    }
}

extension String {
    /// Bytes beyond ASCII as a path writes them.
    fileprivate func addingPercentEncoding() -> String {
        utf8.map { $0 < 0x80 ? String(UnicodeScalar($0)) : "%\(String($0, radix: 16, uppercase: true))" }.joined()
    }
}
