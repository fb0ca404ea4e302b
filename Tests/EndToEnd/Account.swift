// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOHTTP1
import TheatreManifest

/// A person with an account on a server under test.
struct Account {
    let email: String
    let password: String
    let id: String
    let refreshToken: String
    /// Sends as this person.
    var client: Client

    /// Registers someone new and signs in.
    static func new(on server: ServerProcess, by http: HTTPClient = .shared) async throws -> Account {
        let email = "person-\(UInt64.random(in: 0 ..< 1 << 40))@example.com"
        let password = "walks over the bridge \(UInt32.random(in: 0 ... .max))"
        let credentials = credentials(email, password)
        var client = server.client
        client.http = http
        _ = try await client.expect(201, .POST, "/api/v1/auth/register", credentials)
        return try await signIn(on: server, email, password, by: http)
    }

    /// Signs in again, also on another process with the same state.
    static func signIn(
        on server: ServerProcess, _ email: String, _ password: String, by http: HTTPClient = .shared
    ) async throws -> Account {
        var client = server.client
        client.http = http
        let session = try await client.expect(200, .POST, "/api/v1/auth/login", credentials(email, password))
        client.token = try session.text("/access_token")
        return Account(
            email: email, password: password, id: try session.text("/account/id"),
            refreshToken: try session.text("/refresh_token"), client: client)
    }

    private static func credentials(_ email: String, _ password: String) -> JSONValue {
        .object(["email": .string(email), "password": .string(password)])
    }

    /// Buys chips and waits until they are there; the order.
    func buy(_ chips: Int64) async throws -> String {
        let before = try await self.chips()
        let order = try await client.expect(201, .POST, "/api/v1/orders", Self.order(chips), key: Self.key())
        let id = try order.text("/id")
        _ = try await client.expect(200, .POST, "/api/v1/orders/\(id)/pay", .object([:]), key: Self.key())
        try await eventually("the chips of \(id) arrive") { try await self.chips() == before + chips ? true : nil }
        return id
    }

    /// What an order of chips says.
    static func order(_ chips: Int64) -> JSONValue { .object(["chips": .integer(chips), "currency": .string("CNY")]) }

    /// A fresh idempotency key.
    static func key() -> String { "test-\(UInt64.random(in: 0 ... .max))" }

    /// The balance in CHIP.
    func chips() async throws -> Int64 {
        let wallet = try await client.expect(200, .GET, "/api/v1/me/wallet")
        return wallet["balances"]?.array?.first { $0["currency"]?.string == "CHIP" }?["balance"]?.integer ?? 0
    }

    /// The amounts of all CHIP entries, newest first.
    func chipEntries() async throws -> [Int64] {
        let entries = try await client.expect(200, .GET, "/api/v1/me/wallet/entries")["items"]?.array ?? []
        return entries.filter { $0.value(at: "/amount/currency")?.string == "CHIP" }
            .compactMap { $0.value(at: "/amount/amount")?.integer }
    }

    /// Stores a chapter and starts a run; the run.
    func startRun(_ text: String) async throws -> JSONValue {
        let project = try await client.expect(
            201, .POST, "/api/v1/projects", .object(["name": .string("Test"), "language": .string("zh")]),
            key: Self.key()
        ).text("/id")
        let chapter = try await client.expect(
            201, .POST, "/api/v1/projects/\(project)/chapters",
            .object(["title": .string("桥上"), "text": .string(text)]), key: Self.key()
        ).text("/id")
        return try await client.expect(
            202, .POST, "/api/v1/projects/\(project)/runs", .object(["chapter_id": .string(chapter)]), key: Self.key())
    }

    /// Waits until a run has ended, and returns it.
    func awaitRun(_ run: String) async throws -> JSONValue {
        try await eventually("the run ends", seconds: 60) {
            let state = try await client.expect(200, .GET, "/api/v1/runs/\(run)")
            return ["SUCCEEDED", "FAILED", "CANCELED"].contains(state["status"]?.string ?? "") ? state : nil
        }
    }
}

/// A chapter long enough to be worked on for a while.
let chapterText = String(
    repeating: "清晨，赵婆婆挑着担子走过州桥，桥下的船夫正在解缆。她在樊楼前停下，和卖饼的李小乙说起昨夜的火。"
        + "李小乙说：“火是从茶坊烧起的。”赵婆婆叹了一口气，往相国寺去了。\n", count: 40)

extension JSONValue {
    /// The string at a pointer, which must be there.
    func text(_ pointer: String) throws -> String {
        guard let string = value(at: pointer)?.string, !string.isEmpty else {
            throw Unexpected("there is no \(pointer) in \(self)")
        }
        return string
    }
}
