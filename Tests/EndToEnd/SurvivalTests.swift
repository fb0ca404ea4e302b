// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import Testing
import TheatreManifest

/// Kills, reloads, drains and moved clocks.
@Suite(.serialized) struct SurvivalTests {
    @Test(arguments: StorageEngine.allCases, 0..<4)
    func aRunThatAKillInterruptsFinishesAndIsChargedOnce(_ engine: StorageEngine, _ moment: Int) async throws {
        let folder = try TemporaryFolder()
        let (deployment, environment) = try await engine.deployment()
        let server = try await ServerProcess.start(deployment.root, folder: folder, environment: environment)
        let person = try await Account.new(on: server)
        _ = try await person.buy(500)
        let started = try await person.startRun(chapterText)
        let run = try started.text("/id")
        let cost = try #require(started.value(at: "/cost/amount")?.integer)
        if moment > 0 { try await seen(moment, of: run, person) }
        try await server.crash()

        let second = try await ServerProcess.start(deployment.root, folder: folder, environment: environment)
        let again = try await Account.signIn(on: second, person.email, person.password)
        let ended = try await again.awaitRun(run)
        #expect(ended["status"]?.string == "SUCCEEDED", "\(ended)")
        try await eventually("the charge is settled") { try await again.chips() == 500 - cost ? true : nil }
        #expect(try await again.chipEntries().filter { $0 == -cost }.count == 1)
        #expect(try await again.chipEntries().reduce(0, +) == 500 - cost)
        let scenes = try await again.client.expect(200, .GET, "/api/v1/runs/\(run)/scenes")["items"]?.array ?? []
        #expect(!scenes.isEmpty)
        let orders = scenes.compactMap { $0["id"]?.string }
        #expect(Set(orders).count == orders.count)
        try await second.stop()
    }

    /// Lets the run get on a little: further for a later moment, without waiting for its end.
    private func seen(_ moment: Int, of run: String, _ person: Account) async throws {
        for _ in 0..<moment { _ = try await person.client.get("/api/v1/runs/\(run)") }
    }

    @Test(arguments: StorageEngine.allCases)
    func aReloadUnderLoadFailsNoRequest(_ engine: StorageEngine) async throws {
        let (deployment, environment) = try await engine.deployment()
        let server = try await ServerProcess.start(deployment.root, environment: environment)
        let person = try await Account.new(on: server)
        let isOver = Gate()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for path in ["/readyz", "/api/v1/me", "/api/v1/me", "/api/v1/me/wallet"] {
                group.addTask {
                    var count = 0
                    while !isOver.isOpen {
                        let answer: Client.Answer
                        do { answer = try await person.client.get(path) } catch {
                            throw Unexpected("\(path): \(error)\n\(server.output.suffix(4000))")
                        }
                        guard answer.status == 200 || answer.status == 429 else {
                            throw Unexpected("\(path) answered \(answer.status): \(answer.text)")
                        }
                        count += 1
                    }
                    return count
                }
            }
            for round in 1...3 {
                try deployment.write(
                    "32-orders.yaml", try defaultFile("32-orders.yaml").replacing("CNY: 10", with: "CNY: \(10 + round)")
                )
                server.hangUp()
                try await eventually("reload \(round)") {
                    server.output.ranges(of: "plugins.d was read again").count == round ? true : nil
                }
            }
            isOver.open()
            for try await count in group { #expect(count > 0) }
        }
        let other = try await Account.new(on: server)
        let order = try await other.client.expect(
            201, .POST, "/api/v1/orders", Account.order(10), key: Account.key())
        #expect(order.value(at: "/price/amount")?.integer == 130)
        try await server.stop()
    }

    @Test(arguments: StorageEngine.allCases)
    func aStopLetsARequestUnderWayFinish(_ engine: StorageEngine) async throws {
        let (deployment, environment) = try await engine.deployment()
        let server = try await ServerProcess.start(deployment.root, environment: environment)
        let person = try await Account.new(on: server)
        var request = HTTPClientRequest(url: "\(server.url)/api/v1/auth/login")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        let body = Array(#"{"email":"\#(person.email)","password":"\#(person.password)"}"#.utf8)
        request.headers.add(name: "content-length", value: "\(body.count)")
        let half = body.count / 2
        let gate = Gate()
        request.body = .stream(
            Parts(first: Array(body[..<half]), gate: gate, last: Array(body[half...])),
            length: .known(Int64(body.count)))
        async let response = HTTPClient.shared.execute(request, timeout: .seconds(30))
        try await gate.reached()
        server.terminate()
        try await eventually("the listener closes") { await isListening(server.url) ? nil : true }
        gate.open()
        let answer = try await response
        #expect(answer.status == .ok)
        try await server.awaitEnd()
    }

    @Test(arguments: StorageEngine.allCases)
    func aStopEndsAnOpenEventStream(_ engine: StorageEngine) async throws {
        let (deployment, environment) = try await engine.deployment()
        let server = try await ServerProcess.start(deployment.root, environment: environment)
        let person = try await Account.new(on: server)
        var request = HTTPClientRequest(url: "\(server.url)/api/v1/realtime/sse?channels=user:\(person.id)")
        request.headers.add(name: "Authorization", value: "Bearer \(person.client.token ?? "")")
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        #expect(response.status == .ok)
        server.terminate()
        try await server.awaitEnd()
    }

    @Test(arguments: StorageEngine.allCases)
    func theTestClockMovesTheHostsTime(_ engine: StorageEngine) async throws {
        let folder = try TemporaryFolder()
        let socket = folder.path("clock")
        let (deployment, environment) = try await engine.deployment()
        let server = try await ServerProcess.start(
            deployment.root, folder: folder, arguments: ["--test-clock", socket], environment: environment)
        let person = try await Account.new(on: server)
        #expect(try await person.client.get("/api/v1/me").status == 200)
        try await TestClock(socket).advance(milliseconds: 2 * 24 * 3600 * 1000)
        #expect(try await person.client.get("/api/v1/me").status == 401)
        let renewed = try await server.client.expect(
            200, .POST, "/api/v1/auth/refresh", .object(["refresh_token": .string(person.refreshToken)]))
        var client = person.client
        client.token = try renewed.text("/access_token")
        #expect(try await client.get("/api/v1/me").status == 200)
        try await server.stop()
    }

    @Test func theTestClockIsRefusedOutsideDevelopment() async throws {
        let deployment = try TemporaryFolder(["00-host.yaml": "development: false\n", "20-good.yaml": "plugin: Good\n"])
        let result = try await theatre(
            ["serve", "--port", "0", "--state", deployment.path("state"), "--test-clock", deployment.path("clock")]
                + ServerProcess.options(deployment.root, nil))
        #expect(result.status != 0)
        #expect(result.output.contains("--test-clock is refused outside development"))
    }
}
