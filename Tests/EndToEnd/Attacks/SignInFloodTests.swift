// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import SeededRandom
import Testing
import TheatreManifest

/// Ten thousand who sign in at once, far more than there are threads to check their passwords.
@Suite(.serialized) struct SignInFloodTests {
    private static let requests = 10_000
    private static let connections = 300

    @Test func aFloodOfSignInsIsAnsweredAndStopsNobodyElse() async throws {
        // `make soak` lets passwords cost what they cost.
        let cost = FaultPlan.current.kills > 25 ? "" : "memory_kib: 4096, iterations: 1, "
        let attacked = try await AttackedServer(password: "{\(cost)threads: 1, queue: 16}")
        let server = attacked.server
        let person = try await Account.new(on: server)
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.connections
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let before = try server.residentMiB()
            let isOver = Gate()
            async let calm = Self.others(person, until: isOver)
            let answers = try await flood(server, person, by: http)
            isOver.open()
            let (served, slowest) = try await calm
            #expect(answers.values.reduce(0, +) == Self.requests)
            #expect(Set(answers.keys).isSubset(of: [200, 401, 429, 503]), "\(answers)")
            #expect((answers[200] ?? 0) > 0 && (answers[429] ?? 0) + (answers[503] ?? 0) > 0, "\(answers)")
            #expect(served > 20 && slowest < .seconds(15), "\(served) others, the slowest in \(slowest)")
            let after = try server.residentMiB()
            #expect(after - before < 300, "from \(before) to \(after) MiB")
            #expect(!server.output.contains(person.password) && !server.output.contains("Fatal error"))
            _ = try await eventually("the person signs in again") {
                try? await Account.signIn(on: server, person.email, person.password)
            }
        } catch {
            try await http.shutdown()
            throw error
        }
        try await http.shutdown()
        try await server.stop()
    }

    /// The statuses of all answers. Every tenth has the right password; the rest name one of a hundred accounts, which soon are locked.
    private func flood(_ server: ServerProcess, _ person: Account, by http: HTTPClient) async throws -> [Int: Int] {
        try await withThrowingTaskGroup(of: [Int: Int].self) { group in
            for worker in 0..<Self.connections {
                group.addTask {
                    var client = server.client
                    client.http = http
                    var statuses: [Int: Int] = [:]
                    for index in stride(from: worker, to: Self.requests, by: Self.connections) {
                        let isRight = index % 10 == 0
                        let answer = try await client.post(
                            "/api/v1/auth/login",
                            .object([
                                "email": .string(isRight ? person.email : "nobody-\(index % 100)@example.com"),
                                "password": .string(isRight ? person.password : "a password that is not it"),
                            ]))
                        statuses[answer.status, default: 0] += 1
                        if answer.status != 200 { #expect(Inside.leaks(answer.text) == []) }
                    }
                    return statuses
                }
            }
            return try await group.reduce(into: [:]) { all, one in all.merge(one) { $0 + $1 } }
        }
    }

    /// Asks for what is not of the flood until it is over: how often, and the longest that one waited.
    private static func others(_ person: Account, until isOver: Gate) async throws -> (Int, Duration) {
        let clock = ContinuousClock()
        var (count, slowest) = (0, Duration.zero)
        while !isOver.isOpen {
            for path in ["/healthz", "/api/v1/me"] {
                let begun = clock.now
                let answer = try await person.client.get(path)
                guard answer.status == 200 else {
                    throw Unexpected("\(path) answered \(answer.status): \(answer.text)")
                }
                slowest = max(slowest, clock.now - begun)
                count += 1
            }
            // Now and then, as people do: not a flood of its own.
            try await Task.sleep(for: .milliseconds(25))
        }
        return (count, slowest)
    }
}
