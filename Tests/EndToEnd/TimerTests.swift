// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOHTTP1
import Testing
import TheatreManifest

/// A durable timer: the simulated payer pays ten minutes after it was asked.
@Suite(.serialized) struct TimerTests {
    static let minutes: Int64 = 60_000

    private static func deployment(
        _ engine: StorageEngine
    ) async throws -> (folder: TemporaryFolder, environment: [String: String]) {
        let simulator = try defaultFile("31-payment-simulator.yaml")
        let slow = simulator.replacing("delay_ms: 50", with: "delay_ms: 600000")
        #expect(slow != simulator)
        let deployment = try await engine.deployment()
        try deployment.folder.write("31-payment-simulator.yaml", slow)
        return deployment
    }

    @Test(arguments: StorageEngine.allCases)
    func aTimerFiresWhenTheClockReachesItAndNotBefore(_ engine: StorageEngine) async throws {
        let (deployment, environment) = try await Self.deployment(engine)
        let folder = try TemporaryFolder()
        let clock = TestClock(folder.path("clock"))
        let server = try await ServerProcess.start(
            deployment.root, folder: folder, arguments: ["--test-clock", folder.path("clock")],
            environment: environment)
        let person = try await Account.new(on: server)
        let order = try await Self.pay(person)
        try await clock.advance(milliseconds: 9 * Self.minutes)
        // The order asks the simulator by a timer of its own, which is due: it shows that timers were looked at.
        try await eventually("another timer fires") { try await Self.firings(of: "orders", server) > 0 ? true : nil }
        #expect(try await Self.firings(of: "simulator", server) == 0)
        #expect(try await person.chips() == 0)
        try await clock.advance(milliseconds: 1 * Self.minutes)
        try await Self.seesOnePayment(person, order, server, clock)
        try await server.stop()
    }

    @Test(arguments: StorageEngine.allCases)
    func aTimerThatAKillOutlivesFiresOnce(_ engine: StorageEngine) async throws {
        let (deployment, environment) = try await Self.deployment(engine)
        let folder = try TemporaryFolder()
        let first = try await ServerProcess.start(deployment.root, folder: folder, environment: environment)
        let person = try await Account.new(on: first)
        let order = try await Self.pay(person)
        try await first.crash()

        let clock = TestClock(folder.path("clock"))
        let second = try await ServerProcess.start(
            deployment.root, folder: folder, arguments: ["--test-clock", folder.path("clock")],
            environment: environment)
        let again = try await Account.signIn(on: second, person.email, person.password)
        #expect(try await again.chips() == 0)
        #expect(try await Self.firings(of: "simulator", second) == 0)
        try await clock.advance(milliseconds: 10 * Self.minutes)
        try await Self.seesOnePayment(again, order, second, clock)
        try await second.stop()

        // A third start finds nothing left to fire.
        let third = try await ServerProcess.start(
            deployment.root, folder: folder, arguments: ["--test-clock", folder.path("clock")],
            environment: environment)
        try await clock.advance(milliseconds: 60 * Self.minutes)
        let last = try await Account.signIn(on: third, person.email, person.password)
        #expect(try await last.chips() == 100)
        #expect(try await Self.firings(of: "simulator", third) == 0)
        try await third.stop()
    }

    /// An order whose payment is under way.
    private static func pay(_ person: Account) async throws -> String {
        let client = person.client
        let order = try await client.expect(201, .POST, "/api/v1/orders", Account.order(100), key: Account.key())
            .text("/id")
        let paying = try await client.expect(
            200, .POST, "/api/v1/orders/\(order)/pay", .object([:]), key: Account.key())
        #expect(paying["status"]?.string == "PAYING", "\(paying)")
        return order
    }

    /// Waits for the chips, which come once. The clock goes on meanwhile: what could not be told at the first attempt
    /// is told again by it.
    private static func seesOnePayment(
        _ person: Account, _ order: String, _ server: ServerProcess, _ clock: TestClock
    ) async throws {
        try await eventually("the chips arrive") {
            if try await person.chips() == 100 { return true }
            try await clock.advance(milliseconds: 100)
            return nil
        }
        try await eventually("the notification was taken") {
            try await firings(of: "simulator", server) >= 2 ? true : nil
        }
        #expect(try await person.chipEntries() == [100])
        let paid = try await person.client.expect(200, .GET, "/api/v1/orders/\(order)")
        #expect(paid["status"]?.string == "FULFILLED", "\(paid)")
    }

    /// Timers of an instance that have fired.
    private static func firings(of instance: String, _ server: ServerProcess) async throws -> Int {
        try await server.client.calls(of: instance, "theatre.host.v1.Target/Fire")
    }
}
