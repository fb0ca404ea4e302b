// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SeededRandom
import Testing
import TheatreManifest

@Suite struct ManifestReadingTests {
    static let route = """
        {"method": "GET", "path": "/api/v1/wallet", "operation": "theatre.ledger.v1.Ledger/GetWallet", "access": "user",
         "resource": "wallet", "action": "read", "scope": "self", "audit": "read", "rate": "default", "body_limit": 0,
         "idempotent": true, "request": "theatre.ledger.v1.GetWalletRequest", "response": "theatre.ledger.v1.Wallet"}
        """
    static let whole = """
        {"manifest": 1, "name": "Ledger", "version": "1.2.0", "summary": "Books.", "abi": {"major": 1},
         "executor": {"kind": "inline"}, "max_concurrency": 8, "modes": ["inproc"],
         "provides": [{"capability": "theatre.ledger.v1.Ledger"}],
         "operations": ["theatre.ledger.v1.Ledger/Post", "theatre.ledger.v1.Ledger/GetWallet"],
         "needs": [{"feature": "ledger.storage", "capability": "theatre.sql.v1.Database"}],
         "calls": ["ledger.storage/Query", "theatre.host.v1.Keys/Sign"],
         "grants": {"egress": ["self"], "publishes": ["ledger"],
                    "secrets": [{"name": "token", "places": ["authorization"]}],
                    "keys": [{"name": "sign", "algorithm": "EdDSA"}]},
         "routes": [\(route)], "consumes": [{"types": ["order."]}],
         "configuration": {"type": "object"}}
        """

    static func read(_ text: String) throws -> Manifest { try Manifest(json: Data(text.utf8)) }

    @Test func everythingIsRead() throws {
        let manifest = try Self.read(Self.whole)
        #expect(manifest.name == "Ledger")
        #expect(manifest.executor.kind == "inline")
        #expect(manifest.executor.threads == 2)
        #expect(manifest.maxConcurrency == 8)
        #expect(manifest.needs.first?.fallback == "forbidden")
        #expect(manifest.needs.first?.whenUnrouted == "refuse")
        #expect(manifest.grants.secrets.first?.use == "egress")
        #expect(manifest.routes.first?.status == 200)
        #expect(manifest.routes.first?.body == "json")
        #expect(manifest.consumes.first?.timeoutMilliseconds == 60_000)
    }

    static let queued = """
        {"manifest": 1, "name": "Press", "version": "1.0.0",
         "provides": [{"capability": "theatre.jobs.v1.Worker"}], "operations": ["theatre.jobs.v1.Worker/Run"],
         "consumes": [{"types": ["order."], "max_attempts": 3}],
         "queues": [{"name": "render", "concurrency": 2, "timeout_ms": 5000, "backoff_max_ms": 7000}, {"name": "mail"}]}
        """

    @Test func queuesAreReadWithTheirDefaults() throws {
        let manifest = try Self.read(Self.queued)
        let render = try #require(manifest.queues.first)
        #expect(render.name == "render" && render.concurrency == 2 && render.timeoutMilliseconds == 5000)
        #expect(render.backoffMaxMilliseconds == 7000)
        let mail = try #require(manifest.queues.last)
        #expect(mail.concurrency == 4 && mail.globalConcurrency == 0 && mail.maxAttempts == 5)
        #expect(mail.timeoutMilliseconds == 60_000 && mail.leaseMilliseconds == 30_000)
        #expect(mail.backoffMilliseconds == 1000 && mail.backoffMaxMilliseconds == 600_000)
        #expect(manifest.consumes.first?.maxAttempts == 3)
    }

    /// What is replaced in the manifest with queues, by what, and the fault it makes.
    @Test(arguments: [
        (#""name": "mail""#, #""name": "render""#, "manifest.duplicate", "/queues/1/name"),
        (#""name": "mail""#, #""name": "Mail""#, "manifest.name", "/queues/1/name"),
        (#""name": "mail""#, #""nome": "mail""#, "manifest.missing", "/queues/1/name"),
        (#""concurrency": 2"#, #""concurrency": 0"#, "manifest.range", "/queues/0/concurrency"),
        (#""concurrency": 2"#, #""concurency": 2"#, "manifest.unknown_key", "/queues/0/concurency"),
        (#""timeout_ms": 5000"#, #""lease_ms": 10"#, "manifest.range", "/queues/0/lease_ms"),
        (#""backoff_max_ms": 7000"#, #""backoff_max_ms": 999"#, "manifest.range", "/queues/0/backoff_max_ms"),
        (#""max_attempts": 3"#, #""max_attempts": 0"#, "manifest.range", "/consumes/0/max_attempts"),
        (
            #"{"capability": "theatre.jobs.v1.Worker"}], "operations": ["theatre.jobs.v1.Worker/Run"]"#, "]",
            "manifest.reference", "/queues"
        ),
        (
            #"[{"name": "render", "concurrency": 2, "timeout_ms": 5000, "backoff_max_ms": 7000}, {"name": "mail"}]"#,
            "[]", "manifest.reference", "/provides/0/capability"
        ),
    ])
    func aFaultOfTheQueuesIsNamed(_ from: String, _ to: String, code: String, pointer: String) throws {
        try #require(Self.queued.contains(from))
        let error = #expect(throws: ManifestError.self) { try Self.read(Self.queued.replacing(from, with: to)) }
        #expect(error?.code == code)
        #expect(error?.pointer == pointer)
    }

    static let streamed = """
        {"manifest": 1, "name": "Files", "version": "1.0.0",
         "provides": [{"capability": "theatre.http.v1.Handler"}],
         "operations": ["theatre.http.v1.Handler/Handle", "theatre.http.v1.Handler/HandleStream"],
         "routes": [
          {"method": "PUT", "path": "/files/{name}", "operation": "theatre.http.v1.Handler/HandleStream",
           "access": "user", "resource": "file", "action": "put", "scope": "self", "audit": "none", "rate": "default",
           "body_limit": 1099511627776, "idempotent": true, "body": "raw", "request": "theatre.http.v1.RequestPart",
           "response": "theatre.http.v1.ResponsePart"},
          {"method": "POST", "path": "/files", "operation": "theatre.http.v1.Handler/Handle",
           "access": "user", "resource": "file", "action": "add", "scope": "self", "audit": "none", "rate": "default",
           "body_limit": 16777216, "idempotent": false, "body": "raw", "request": "theatre.http.v1.Request",
           "response": "theatre.http.v1.Response"}]}
        """

    /// What is streamed may be long, and is not kept to be answered again.
    @Test func aStreamedRouteTakesUpToATebibyte() throws {
        let routes = try Self.read(Self.streamed).routes
        #expect(routes.map(\.bodyLimit) == [1 << 40, 16 << 20])
        #expect(routes.map(\.idempotent) == [true, false])
    }

    /// What is replaced in the manifest with a streamed route and one that is not, and the fault it makes.
    @Test(arguments: [
        ("1099511627776", "1099511627777", "manifest.missing", "/routes/0/body_limit"),
        ("1099511627776", "-1", "manifest.missing", "/routes/0/body_limit"),
        (#""body_limit": 1099511627776, "#, "", "manifest.missing", "/routes/0/body_limit"),
        (#""idempotent": true"#, #""idempotent": false"#, "manifest.range", "/routes/0/idempotent"),
        (#""idempotent": true, "#, "", "manifest.missing", "/routes/0/idempotent"),
        ("16777216", "16777217", "manifest.missing", "/routes/1/body_limit"),
    ])
    func aFaultOfAStreamedRouteIsNamed(_ from: String, _ to: String, code: String, pointer: String) throws {
        try #require(Self.streamed.contains(from))
        let error = #expect(throws: ManifestError.self) { try Self.read(Self.streamed.replacing(from, with: to)) }
        #expect(error?.code == code)
        #expect(error?.pointer == pointer)
    }

    @Test func littleIsEnough() throws {
        let manifest = try Self.read(#"{"manifest": 1, "name": "Ledger", "version": "1.2.0"}"#)
        #expect(manifest.executor.kind == "pool")
        #expect(manifest.modes == ["inproc", "isolated", "remote"])
        #expect(manifest.configuration["additionalProperties"] == .bool(false))
    }

    /// What is replaced in the whole manifest, by what, and the fault it makes.
    @Test(arguments: [
        (#""manifest": 1"#, #""manifest": 2"#, "manifest.format", "/manifest"),
        (#""name": "Ledger""#, #""name": "ledger""#, "manifest.name", "/name"),
        (#""name": "Ledger","#, "", "manifest.missing", "/name"),
        (#""version": "1.2.0""#, #""version": 5"#, "manifest.type", "/version"),
        (#""summary""#, #""sumary""#, "manifest.unknown_key", "/sumary"),
        (#"{"major": 1}"#, #"{"major": "1"}"#, "manifest.type", "/abi/major"),
        (#"{"major": 1}"#, #"{"mayor": 1}"#, "manifest.unknown_key", "/abi/mayor"),
        (#"{"kind": "inline"}"#, #"{"kind": "inlined"}"#, "manifest.choice", "/executor/kind"),
        (#"{"kind": "inline"}"#, #"{"threads": 65}"#, "manifest.range", "/executor/threads"),
        (#""max_concurrency": 8"#, #""max_concurrency": 0"#, "manifest.range", "/max_concurrency"),
        (#"["inproc"]"#, #"["inproc", 1]"#, "manifest.type", "/modes/1"),
        (#"[{"capability": "theatre.ledger.v1.Ledger"}]"#, "[]", "manifest.reference", "/operations/0"),
        (#"{"capability": "theatre.ledger.v1.Ledger"}"#, "{}", "manifest.missing", "/provides/0/capability"),
        (#""calls": ["ledger.storage"#, #""calls": ["ledger.stroage"#, "manifest.reference", "/calls/0"),
        (
            #""capability": "theatre.sql.v1.Database"}"#, #""capability": "x", "fallback": "yes"}"#, "manifest.choice",
            "/needs/0/fallback"
        ),
        (#""places": ["authorization"]"#, #""use": "lend""#, "manifest.choice", "/grants/secrets/0/use"),
        (#""algorithm": "EdDSA""#, #""algorithm": "RSA""#, "manifest.choice", "/grants/keys/0/algorithm"),
        (
            #""algorithm": "EdDSA""#, #""algorithm": "EdDSA", "also": ["HS256"]"#, "manifest.choice",
            "/grants/keys/0/also"
        ),
        (
            #""algorithm": "EdDSA""#, #""algorithm": "HS256", "also": ["ES256"]"#, "manifest.choice",
            "/grants/keys/0/also"
        ),
        (
            #""algorithm": "EdDSA""#, #""algorithm": "RS256", "also": ["RS256"]"#, "manifest.choice",
            "/grants/keys/0/also"
        ),
        (
            #""algorithm": "EdDSA""#, #""algorithm": "RS256", "also": ["ES256"], "lifetime_seconds": -1"#,
            "manifest.range", "/grants/keys/0/lifetime_seconds"
        ),
        (#""method": "GET""#, #""method": "get""#, "manifest.choice", "/routes/0/method"),
        (#""body_limit": 0,"#, "", "manifest.missing", "/routes/0/body_limit"),
        (#""idempotent": true,"#, "", "manifest.missing", "/routes/0/idempotent"),
        (#""access": "user""#, #""access": "users""#, "manifest.choice", "/routes/0/access"),
        (
            #""operation": "theatre.ledger.v1.Ledger/GetWallet""#, #""operation": "theatre.ledger.v1.Ledger/Get""#,
            "manifest.reference", "/routes/0/operation"
        ),
        (#""scope": "self","#, "", "manifest.missing", "/routes/0/scope"),
        (#""body_limit": 0,"#, #""body_limit": 0, "body": "raw","#, "manifest.raw_operation", "/routes/0/operation"),
        (#"{"types": ["order."]}"#, #"{"types": "order."}"#, "manifest.type", "/consumes/0/types"),
    ])
    func faultIsFoundAndPointedAt(_ part: String, _ other: String, _ code: String, _ pointer: String) throws {
        try #require(Self.whole.contains(part))
        let error = #expect(throws: ManifestError.self) { try Self.read(Self.whole.replacing(part, with: other)) }
        #expect(error?.code == code)
        #expect(error?.pointer == pointer)
    }

    @Test func nearestNameIsOffered() {
        let key = #expect(throws: ManifestError.self) { try Self.read(Self.whole.replacing("summary", with: "sumary")) }
        #expect(key?.message.contains(#"did you mean "summary"?"#) == true)
        let call = #expect(throws: ManifestError.self) {
            try Self.read(Self.whole.replacing("ledger.storage/", with: "ledger.stroage/"))
        }
        #expect(call?.message.contains(#"did you mean "ledger.storage"?"#) == true)
    }

    @Test(arguments: ["", "[", "{", "{\"a\":}", "nul", "\u{0}", "{\"manifest\": 1e999}"])
    func whatIsNotJSONIsRefused(_ text: String) {
        #expect(throws: ManifestError.self) { try Self.read(text) }
    }

    /// Cut and changed bytes are refused or read, never a crash.
    @Test(arguments: 0..<8 as Range<UInt64>) func damagedManifestsAreSurvived(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            var bytes = Array(Self.whole.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] = UInt8.random(in: 0...255, using: &generator)
            }
            bytes.removeLast(Int.random(in: 0...40, using: &generator))
            do {
                #expect(try Manifest(json: Data(bytes)).format == 1)
            } catch { #expect(error is ManifestError) }
        }
    }
}

@Suite struct NearestMatchTests {
    @Test(arguments: [
        ("sumary", "summary"), ("Thread", "threads"), ("body-limit", "body_limit"), ("zzzzzz", nil),
    ])
    func wordIsFound(_ word: String, _ match: String?) {
        #expect(nearestMatch(to: word, among: ["summary", "threads", "body_limit", "kind"]) == match)
    }

    @Test func pointerFindsValues() throws {
        let value = try JSONValue(json: Data(#"{"a/b": [{"c~d": 5}], "e": null}"#.utf8))
        #expect(value.value(at: "/a~1b/0/c~0d") == .integer(5))
        #expect(value.value(at: "") == value)
        #expect(value.value(at: "/a~1b/1") == nil)
        #expect(value.value(at: "/e/x") == nil)
    }

    @Test(arguments: [
        ("9223372036854775807", JSONValue.integer(.max)), ("1.5", .number(1.5)), ("true", .bool(true)),
        ("\"1\"", .string("1")), ("[]", .array([])), ("null", .null),
    ])
    func valuesKeepTheirKind(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONValue(json: Data(text.utf8)) == value)
        #expect(try JSONValue(json: value.json()) == value)
    }
}
