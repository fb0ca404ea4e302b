// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOHTTP1
import TheatreManifest

/// The main job, as a client lives it: sign in, buy chips, have a chapter drafted, look at what came of it.
struct Tour {
    var client: TourClient
    let chapter: Chapter
    let say: TourNarrator

    /// What a run that succeeds has told before.
    private static let stages = ["draft.started", "draft.outlined", "draft.scene_written", "draft.culture_checked"]

    /// What is drafted.
    struct Chapter: Sendable {
        var title: String
        var text: String
        /// It has things in it that are not of their time, so the culture check finds something.
        var hasFindings = false
    }

    /// Identifiers to look further with.
    struct Outcome {
        var account = ""
        var order = ""
        var project = ""
        var chapter = ""
        var run = ""
        var scenes = 0
        var findings = 0
        var cost: Int64 = 0
        var balance: Int64 = 0
    }

    /// Goes through every step, in order.
    ///
    /// - Throws: `TourFailure` at the first thing that is not as it should be.
    mutating func run() async throws -> Outcome {
        var outcome = Outcome()
        outcome.account = try await signIn()
        outcome.order = try await buyChips(120)
        try await draft(&outcome)
        try await look(&outcome)
        return outcome
    }

    private mutating func signIn() async throws -> String {
        say.step("Sign in")
        _ = try await client.expect(200, .GET, "/readyz")
        let email = "tour-\(UInt64.random(in: 0..<(1 << 40)))@example.com"
        let password = "a long walk over the bridge \(UInt32.random(in: 0..<1_000_000))"
        let credentials: JSONValue = .object(["email": .string(email), "password": .string(password)])
        _ = try await client.expect(201, .POST, "/api/v1/auth/register", credentials)
        say.line("registered \(email)")
        let wrong: JSONValue = .object(["email": .string(email), "password": .string("not the password")])
        let refused = try await client.send(.POST, "/api/v1/auth/login", wrong)
        guard refused.status == 401 else { throw TourFailure("a wrong password answered \(refused.status), not 401") }
        let session = try await client.expect(200, .POST, "/api/v1/auth/login", credentials)
        client.token = try session.text("/access_token")
        let me = try await client.expect(200, .GET, "/api/v1/me")
        let account = try me.text("/id")
        guard try me.text("/email") == email else { throw TourFailure("/api/v1/me is someone else") }
        say.line("a wrong password is refused; the right one signs in as \(account)")
        return account
    }

    private func buyChips(_ chips: Int64) async throws -> String {
        say.step("Buy \(chips) chips")
        let body: JSONValue = .object(["chips": .integer(chips), "currency": .string("CNY")])
        let key = "tour-order-\(UInt64.random(in: 0 ..< .max))"
        let first = try await client.send(.POST, "/api/v1/orders", body, idempotencyKey: key)
        guard first.status == 201 else { throw TourFailure("the order answered \(first.status): \(first.text)") }
        let again = try await client.send(.POST, "/api/v1/orders", body, idempotencyKey: key)
        guard again.body == first.body else { throw TourFailure("the same key and body answered other bytes") }
        let order = try first.json.text("/id")
        let price = first.json.value(at: "/price/amount")?.integer ?? 0
        say.line("order \(order), \(price) fen; asked twice with one key, answered once")
        let paying = try await client.expect(200, .POST, "/api/v1/orders/\(order)/pay", .object([:]))
        say.line("payment \(try paying.text("/attempt/number")) is \(try paying.text("/attempt/status"))")
        let done = try await wait("the payment's notification", seconds: 20) {
            let state = try await client.expect(200, .GET, "/api/v1/orders/\(order)")
            return state.value(at: "/status")?.string == "FULFILLED" ? state : nil
        }
        guard done.value(at: "/attempt/status")?.string == "SUCCESS" else {
            throw TourFailure("the order is fulfilled but its attempt is not SUCCESS")
        }
        let balance = try await chipBalance()
        guard balance == chips else { throw TourFailure("the wallet has \(balance) CHIP, \(chips) were bought") }
        say.line("the simulator paid and notified; the wallet has \(balance) CHIP")
        return order
    }

    private func draft(_ outcome: inout Outcome) async throws {
        say.step("Draft a chapter")
        let project = try await client.expect(
            201, .POST, "/api/v1/projects", .object(["name": .string("Tour"), "language": .string("zh")]))
        outcome.project = try project.text("/id")
        let stored = try await client.expect(
            201, .POST, "/api/v1/projects/\(outcome.project)/chapters",
            .object(["title": .string(chapter.title), "text": .string(chapter.text)]))
        outcome.chapter = try stored.text("/id")
        say.line("《\(chapter.title)》, \(stored.value(at: "/length")?.integer ?? 0) characters, is \(outcome.chapter)")
        let stream = try await client.events(channels: ["user:\(outcome.account)"], after: 0)
        let started = try await client.expect(
            202, .POST, "/api/v1/projects/\(outcome.project)/runs", .object(["chapter_id": .string(outcome.chapter)]),
            idempotencyKey: "tour-run-\(UInt64.random(in: 0 ..< .max))")
        outcome.run = try started.text("/id")
        outcome.cost = started.value(at: "/cost/amount")?.integer ?? 0
        say.line("run \(outcome.run) holds \(outcome.cost) CHIP")
        try await follow(stream, run: outcome.run)
    }

    /// Narrates the run's events until it ends.
    private func follow(_ stream: EventSource, run: String) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                var seen: Set<String> = []
                for try await event in stream {
                    guard event.data.value(at: "/aggregate")?.string == run else { continue }
                    let data = event.data.value(at: "/data") ?? .null
                    say.event(event.type, data)
                    seen.insert(event.type)
                    if event.type == "draft.succeeded" {
                        let missing = Self.stages.filter { !seen.contains($0) }
                        guard missing.isEmpty else {
                            throw TourFailure("the run succeeded without telling of \(missing.joined(separator: ", "))")
                        }
                        return true
                    }
                    if event.type == "draft.failed" || event.type == "draft.canceled" {
                        throw TourFailure(
                            "the run ended with \(event.type): \(data.value(at: "/failure")?.string ?? "")")
                    }
                }
                throw TourFailure("the event stream ended before the run did")
            }
            group.addTask {
                try await Task.sleep(for: .seconds(120))
                return false
            }
            guard try await group.next() == true else { throw TourFailure("no end of the run was seen within 120 s") }
            group.cancelAll()
        }
    }

    private func look(_ outcome: inout Outcome) async throws {
        say.step("Look at what came of it")
        let run = try await client.expect(200, .GET, "/api/v1/runs/\(outcome.run)")
        guard run.value(at: "/status")?.string == "SUCCEEDED" else { throw TourFailure("the run is not SUCCEEDED") }
        let scenes = try await client.expect(200, .GET, "/api/v1/runs/\(outcome.run)/scenes")["items"]?.array ?? []
        guard !scenes.isEmpty else { throw TourFailure("the run has no scenes") }
        outcome.scenes = scenes.count
        for scene in scenes { outcome.findings += say.scene(scene) }
        guard !chapter.hasFindings || outcome.findings > 0 else {
            throw TourFailure("nothing in the chapter that ships was found to be of another time")
        }
        let inbox = try await client.expect(200, .GET, "/api/v1/me/inbox")["items"]?.array ?? []
        guard let message = inbox.first(where: { $0.value(at: "/data/run_id")?.string == outcome.run }) else {
            throw TourFailure("the inbox has no message of the run")
        }
        say.line("inbox: \(message.value(at: "/title")?.string ?? "")")
        let entries = try await client.expect(200, .GET, "/api/v1/me/wallet/entries")["items"]?.array ?? []
        for entry in entries { say.entry(entry) }
        outcome.balance = try await chipBalance()
        let sum = entries.filter { $0.value(at: "/amount/currency")?.string == "CHIP" }
            .reduce(0) { $0 + ($1.value(at: "/amount/amount")?.integer ?? 0) }
        guard sum == outcome.balance else {
            throw TourFailure("the entries sum to \(sum), the balance is \(outcome.balance)")
        }
        guard entries.contains(where: { $0.value(at: "/amount/amount")?.integer == -outcome.cost }) else {
            throw TourFailure("the wallet has no entry over -\(outcome.cost) CHIP")
        }
        say.line("wallet: \(outcome.balance) CHIP are left")
    }

    private func chipBalance() async throws -> Int64 {
        let wallet = try await client.expect(200, .GET, "/api/v1/me/wallet")
        let chips = wallet["balances"]?.array?.first { $0["currency"]?.string == "CHIP" }
        return chips?["balance"]?.integer ?? 0
    }

    /// Asks until there is an answer.
    private func wait<T: Sendable>(_ what: String, seconds: Int, _ ask: () async throws -> T?) async throws -> T {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        while clock.now < end {
            if let answer = try await ask() { return answer }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw TourFailure("\(what) did not come within \(seconds) s")
    }
}

extension JSONValue {
    /// The string at a pointer, which must be there.
    func text(_ pointer: String) throws -> String {
        guard let string = value(at: pointer)?.string, !string.isEmpty else {
            throw TourFailure("the answer has no \(pointer)")
        }
        return string
    }
}
