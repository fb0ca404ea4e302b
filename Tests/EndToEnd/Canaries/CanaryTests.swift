// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Emulators
import FoundationEssentials
import Glibc
import NIOHTTP1
import PostgreSQLServer
import Testing
import TheatreManifest
import Toolchains

/// Secrets are put wherever one can be, everything that uses them is used, and then all that is written down or said is
/// searched for them: none is found but where the operator put it.
@Suite(.serialized) struct CanaryTests {
    @Test(arguments: StorageEngine.allCases)
    func noSecretIsWrittenDownOrSaid(_ engine: StorageEngine) async throws {
        var search = try CanarySearch()
        let stage = try await CanaryStage(engine)
        let server = stage.server
        var said: [String: String] = [:]
        search.plant("the model's key", CanaryStage.modelKey)
        search.plant("the bot's token", CanaryStage.botToken)
        search.plant("the key of text messages", CanaryStage.smsSecret)
        search.plant("the signing key", stage.signing.rawRepresentation)
        for word in ["aliyun-sms", "theatre_requests_total", "\"openapi\"", "POST /api/v1/auth/login"] {
            search.control(word, word)
        }

        let person = try await people(stage, &search, &said)
        let admin = try stage.admin(person)
        try await secrets(stage, admin, &search, &said)
        _ = try await person.buy(500)
        let run = try await person.outcome()
        #expect(run["status"]?.string == "SUCCEEDED", "\(run)")
        try await crash(stage, &search, &said)
        for instance in ["accounts", "openai", "admin"] {
            said["swap-\(instance)"] = try await stage.command(["plugins", "swap", instance, "--json"])
        }
        try await look(stage, admin, engine, &said)
        try await server.stop()
        said["log"] = server.output
        try stage.stop()

        let collected = try TemporaryFolder()
        for (name, text) in said { try collected.write(name, text) }
        let state = server.folder.path("state")
        // The folders where the operator puts secrets, and the keys that are made there, are searched as a proof that
        // the search finds: by name, each in its own file.
        let kept = try search.found(in: ["\(state)/secrets", "\(state)/keys"])
        for (name, file) in [
            ("the model's key: plain", "model.key"), ("the signing key: base64url+0", "0001.jwk"),
            ("the key of text messages: base64", "0001.whsec"),
        ] {
            #expect(kept.canaries.contains { $0.hasPrefix(name) && $0.hasSuffix(file) }, "\(name): \(kept.canaries)")
        }
        let others = try FileManager.default.contentsOfDirectory(atPath: state).filter {
            !["secrets", "keys"].contains($0)
        }
        let found = try search.found(in: others.map { "\(state)/\($0)" } + [collected.root])
        #expect(found.canaries == [])
        // What is no secret is found in every place.
        let places = ["log", "audit", "audit-api", "events", "plugins", "metrics", "openapi", "errors", "secrets"]
        let empty = places.filter { place in !found.controls.contains { $0.hasSuffix(" in \(place)") } }
        #expect(empty == [], "\(found.controls)")
        let database = engine == .sqlite ? "theatre.db" : "dump"
        #expect(found.controls.contains("the person in \(database)"), "\(found.controls)")
        #expect(search.canaries.count >= 16)
    }

    /// Whatever a person comes with: password, tokens, key, second factor, code, device.
    private func people(
        _ stage: CanaryStage, _ search: inout CanarySearch, _ said: inout [String: String]
    ) async throws -> Account {
        let server = stage.server
        let person = try await Account.new(on: server)
        search.plant("the password", person.password)
        search.plant("the refresh token", person.refreshToken)
        search.plant("the access token", person.client.token ?? "")
        let bio = "what a person says of himself \(UInt64.random(in: 0 ... .max))"
        _ = try await person.client.expect(200, .PATCH, "/api/v1/me", .object(["bio": .string(bio)]))
        search.plant("the bio", bio)
        search.control("the person", person.id)
        let refreshed = try await server.client.expect(
            200, .POST, "/api/v1/auth/refresh", .object(["refresh_token": .string(person.refreshToken)]))
        search.plant("the next refresh token", try refreshed.text("/refresh_token"))
        let key = try await person.client.expect(
            201, .POST, "/api/v1/me/keys",
            .object([
                "name": .string("nightly"), "scopes": .array([.string("project:list")]),
                "expires_at": .string(Date.ISO8601FormatStyle().format(Date(timeIntervalSinceNow: 86_400))),
            ]))
        search.plant("the API key", try key.text("/key"))
        let program = Client(url: server.url, token: try key.text("/key"))
        _ = try await program.expect(200, .GET, "/api/v1/projects")
        let factor = try await person.client.send(.POST, "/api/v1/auth/mfa/enroll", .object([:]))
        search.plant("the TOTP secret", try factor.json.text("/secret"))
        let device = "canary-of-a-device-" + String(repeating: "d", count: 30)
        search.plant("the device", device)
        _ = try await server.client.expect(
            200, .POST, "/api/v1/auth/guest", .object(["device_secret": .string(device)]))
        let client = try await stage.admin(person).expect(
            201, .POST, "/api/v1/admin/clients",
            .object(["name": .string("farm"), "scopes": .array([.string("me:nothing")])]))
        search.plant("the service's secret", try client.text("/client_secret"))

        let number = "13800138000"
        search.plant("the telephone number", number)
        let phone: [String: JSONValue] = ["channel": .string("phone"), "identifier": .string("+86\(number)")]
        let sent = try await server.client.expect(200, .POST, "/api/v1/auth/otp/send", .object(phone))
        let code = try #require(stage.texts.messages.last?.values["code"])
        search.plant("the sign-in code", code)
        var proof = phone
        proof["challenge"] = sent["challenge"] ?? .null
        proof["code"] = .string("0000000000")
        let wrong = try await server.client.send(.POST, "/api/v1/auth/otp/verify", .object(proof))
        proof["code"] = .string(code)
        _ = try await server.client.expect(200, .POST, "/api/v1/auth/otp/verify", .object(proof))

        // What is refused is not repeated.
        let wrongPassword = "canary-of-a-wrong-password-7731"
        search.plant("a wrong password", wrongPassword)
        var errors = [wrong.text]
        let refused: [(String, [String: String])] = [
            ("login", ["email": person.email, "password": wrongPassword]),
            ("login", ["email": person.email, "passwort": wrongPassword]),
            ("register", ["email": wrongPassword, "password": wrongPassword]),
            ("refresh", ["refresh_token": wrongPassword]), ("otp/verify", ["code": wrongPassword]),
        ]
        for (path, body) in refused {
            let answer = try await server.client.send(
                .POST, "/api/v1/auth/\(path)", .object(body.mapValues { .string($0) }))
            #expect((400..<500).contains(answer.status))
            errors.append(answer.text)
        }
        var stranger = server.client
        stranger.token = "canary-of-no-token-at-all-8812"
        search.plant("no token", "canary-of-no-token-at-all-8812")
        errors.append(try await stranger.get("/api/v1/me").text)
        search.control("an error", "error_code")
        said["errors"] = errors.joined(separator: "\n")
        return person
    }

    /// Stored secrets, by route and by command, taken and refused.
    private func secrets(
        _ stage: CanaryStage, _ admin: Client, _ search: inout CanarySearch, _ said: inout [String: String]
    ) async throws {
        let (first, second) = ("canary-of-the-store-one-4410", "canary-of-the-store-two-9072")
        let wrong = "canary-of-a-refused-value-3356"
        search.plant("a stored secret", first)
        search.plant("a stored secret by command", second)
        search.plant("a refused secret", wrong)
        let path = "/api/v1/admin/secrets/token"
        let put = try await admin.send(
            .PUT, path, .object(["value": .string(first)]), headers: [("Idempotency-Key", Account.key())])
        #expect(put.status == 200, "\(put.text)")
        var errors: [String] = []
        for body: JSONValue in [
            .object(["value": .array([.string(wrong)])]), .object(["valeu": .string(wrong)]),
            .object(["value": .string(wrong), "name": .string(wrong)]),
            .object(["value": .string(wrong), "owner": .string("no \(wrong)")]),
            .object(["value": .string(wrong), "project": .string("of-nobody")]), .string(wrong),
            .array([.string(wrong)]),
        ] {
            let answer = try await admin.send(.PUT, path, body)
            #expect((400..<500).contains(answer.status), "\(body): \(answer.text)")
            errors.append(answer.text)
        }
        said["errors", default: ""] += errors.joined(separator: "\n")
        let file = stage.server.folder.path("value.txt")
        try Data(second.utf8).write(to: URL(filePath: file))
        said["secrets-put"] = try await stage.command(["secrets", "put", "other", "--file", file])
        said["secrets"] =
            try await stage.command(["secrets", "list", "--json"])
            + (try await admin.get("/api/v1/admin/secrets").text) + (try await admin.get(path).text)
        search.control("a secret's name", "\"name\":\"token\"")
        try await eventually("the isolated instance has it\n\(stage.server.output)") {
            try await stage.server.client.get("/fixtures/needs-secret").text == first ? true : nil
        }
        said["audit-api"] = try await admin.get("/api/v1/auth/audit/logs?limit=200").text
    }

    /// An instance that holds a secret is ended as a failed assertion ends it, where core files are allowed.
    private func crash(
        _ stage: CanaryStage, _ search: inout CanarySearch, _ said: inout [String: String]
    ) async throws {
        let server = stage.server
        let shown = try await server.plugins(["show", "needs"])
        let pid = try #require(shown["facts"]?["process"]?.string.flatMap { Int32($0) })
        func proc(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: "/proc/\(pid)/\(name)")) }
        let limits = String(decoding: try proc("limits"), as: UTF8.self)
        let core = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
        #expect(core?.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"], "\(limits)")
        let own = try Data(contentsOf: URL(filePath: "/proc/\(server.pid)/limits"))
        #expect(String(decoding: own, as: UTF8.self).contains(/Max core file size +unlimited/), "nothing is proved")
        // What is in the host's environment or on a command line does not come to a process of a plugin.
        // A kernel that hides it even from root, as it may be of what must not be dumped, has answered the question too.
        said["runner-environment"] = (try? proc("environ")).map { String(decoding: $0, as: UTF8.self) } ?? "hidden"
        said["runner-arguments"] = String(decoding: try proc("cmdline"), as: UTF8.self)
        let folders = [server.folder.root, FileManager.default.currentDirectoryPath]
        func cores() throws -> [String] {
            try folders.flatMap { try FileManager.default.contentsOfDirectory(atPath: $0) }
                .filter { $0.hasPrefix("core") }.sorted()
        }
        let before = try cores()
        kill(pid, SIGABRT)
        try await eventually("another process serves\n\(server.output)", seconds: 60) { () -> Bool? in
            let facts = try await server.plugins(["show", "needs"])["facts"]
            return facts?["process"]?.string.flatMap { Int32($0) }.map { $0 != pid } == true ? true : nil
        }
        #expect(try cores() == before)
        said["crash"] =
            "\(try await server.plugins(["show", "needs"]))" + "\(try await server.plugins(["logs", "needs"]))"
    }

    /// Everything that can be asked for.
    private func look(
        _ stage: CanaryStage, _ admin: Client, _ engine: StorageEngine, _ said: inout [String: String]
    ) async throws {
        let server = stage.server
        said["metrics"] = try await server.client.get("/metrics").text
        said["openapi"] = try await server.client.get("/openapi.json").text
        said["plugins"] = "\(try await server.plugins(["list"]))"
        for instance in ["accounts", "openai", "telegram", "phone", "aliyun-sms", "needs", "keyfile", "admin"] {
            let shown = try await admin.get("/api/v1/admin/plugins/\(instance)")
            let logs = try await admin.get("/api/v1/admin/plugins/\(instance)/logs?limit=1000")
            #expect(shown.status == 200 && logs.status == 200, "\(shown.text) \(logs.text)")
            said["show-\(instance)"] = shown.text + logs.text
        }
        said["audit"] = try await stage.command(["audit", "list", "--limit", "500", "--json"])
        said["events"] = try await stage.command(["events", "read", "--limit", "1000", "--json"])
        said["jobs"] = try await stage.command(["jobs", "list", "--limit", "1000", "--json"])
        guard engine == .postgresql else { return }
        let declared = try stage.deployment.read("11-postgresql.yaml")
        let database = try #require(declared.firstMatch(of: /database: (\w+)/)).1
        let postgres = try await PostgreSQLServer.shared()
        let dump = try Toolchains.shell(
            "PGPASSWORD='\(PostgreSQLServer.password)' '\(postgres.program("pg_dump"))' -h 127.0.0.1 "
                + "-p \(postgres.port) -U \(PostgreSQLServer.user) '\(database)'", in: stage.server.folder.root)
        said["dump"] = String(decoding: dump, as: UTF8.self)
    }

    /// The search finds each form of what it looks for, wherever it begins.
    @Test func whatIsWrittenInAnotherFormIsFound() throws {
        var search = try CanarySearch()
        let canary = "a canary/with+signs & a space"
        search.plant("it", canary)
        let folder = try TemporaryFolder()
        let bytes = Data(canary.utf8)
        let hex = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        try folder.write("plain", "…\(canary)…")
        try folder.write("hex", "\\x\(hex)00")
        try folder.write("upper", hex.uppercased())
        try folder.write("percent", "a=a%20canary%2Fwith%2Bsigns%20%26%20a%20space&b")
        for shift in 0..<3 {
            let whole = Data(repeating: 0x41, count: shift) + bytes + Data("and more".utf8)
            try folder.write("base64-\(shift)", whole.base64EncodedString())
            try folder.write("base64url-\(shift)", Base64URL.encode(whole))
        }
        try folder.write("none", "a canary without signs")
        let found = try search.found(in: [folder.root]).canaries.compactMap { $0.split(separator: "/").last }
        #expect(
            Set(found) == [
                "plain", "hex", "upper", "percent", "base64-0", "base64-1", "base64-2", "base64url-0", "base64url-1",
                "base64url-2",
            ])
    }
}
