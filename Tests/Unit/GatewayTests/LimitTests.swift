// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import Gateway
@testable import Runtime

/// Bounds that keep one client from starving others.
@Suite(.timeLimit(.minutes(1))) struct LimitTests {
    /// An open connection of a client that counts.
    private static func connect(_ gateway: LiveGateway) async throws -> any Channel {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(to: gateway.address).get()
    }

    /// Connections are counted on their own loops.
    private static func wait(for count: Int, _ gateway: LiveGateway) async {
        while gateway.server.core.connections.load(ordering: .relaxed) != count { await Task.yield() }
    }

    @Test func connectionsBeyondTheLimitAreClosedAtOnce() async throws {
        let calls = RequestTests.echo()
        let gateway = try await LiveGateway(calls, [.echo("GET", "/echo", on: calls)]) { $0.limits.connections = 2 }
        let first = try await Self.connect(gateway)
        let second = try await Self.connect(gateway)
        await Self.wait(for: 2, gateway)
        for _ in 0..<3 { try await Self.connect(gateway).closeFuture.get() }
        #expect(first.isActive && second.isActive)
        try await first.close()
        await Self.wait(for: 1, gateway)
        let answer = try await gateway.connect().ask(request("GET", "/echo"), until: "\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        try await second.close()
        await gateway.server.drain()
    }

    @Test func ratesAreCountedForEachPrincipal() throws {
        let calls = RequestTests.echo()
        let bench = try Bench(
            calls, [.echo("GET", "/echo", on: calls, rate: "login"), .echo("GET", "/free", on: calls, rate: "free")]
        ) { $0.rates["login"] = .init(perMinute: 60, burst: 2) }
        for name in ["a", "b"] {
            bench.know(name, Principal(id: "usr_\(name)", kind: .user, expiresAt: .max))
        }
        func get(_ path: String, _ token: String?, on bench: Bench) throws -> Substring {
            let headers = token.map { ["Authorization: Bearer \($0)"] } ?? []
            return try bench.send(request("GET", path, headers)).dropFirst(9).prefix(3)
        }
        let other = try Bench(sharing: bench)
        #expect(try get("/echo", "a", on: bench) == "200")
        #expect(try get("/echo", "a", on: other) == "200", "whatever the connection")
        #expect(try get("/echo", "a", on: bench) == "429")
        #expect(try get("/echo", "a", on: other) == "429")
        #expect(try get("/free", "a", on: bench) == "200", "another class has its own bucket, here none")
        #expect(try get("/echo", "b", on: bench) == "200", "another principal has its own")
        #expect(try get("/echo", nil, on: bench) == "200", "so has an address without a token")
        bench.advance(seconds: 1)
        #expect(try get("/echo", "a", on: bench) == "200")
        #expect(try get("/echo", "a", on: bench) == "429")
        #expect(calls.calls.count == 6)
    }

    /// The server's settings say how many; this client heeds them and sends the others one after the other.
    @Test func streamsOfAConnectionAreLimited() async throws {
        let calls = FakeCalls()
        let (started, starts) = AsyncStream.makeStream(of: Void.self)
        let count = Mutex((total: 0, peak: 0))
        calls.serve("test.Echo/Echo") { call in
            guard !call.payload.starts(with: Array("name=first".utf8)) else { return .success([]) }
            let total = count.withLock { count in
                count.peak = max(count.peak, calls.open + 1)
                count.total += 1
                return count.total
            }
            starts.yield()
            return total == 6 ? .success(Array("ok".utf8)) : nil
        }
        let gateway = try await HTTP2Gateway.start(calls, [.echo("GET", "/echo/{name}", on: calls)]) {
            $0.limits.concurrentStreams = 2
        }
        // The settings have come once this is answered.
        #expect(try await gateway.get("/echo/first").1.get() == "200 ")
        var answers: [EventLoopFuture<String>] = []
        for _ in 0..<6 { answers.append(try await gateway.get("/echo/a").1) }
        var seen = 0
        for await _ in started {
            seen += 1
            if seen > 1 { calls.finish(.success(Array("ok".utf8))) }
            if seen == 6 { break }
        }
        for answer in answers { #expect(try await answer.get() == "200 ok") }
        #expect(count.withLock { $0.peak } == 2)
        try await gateway.channel.close()
        await gateway.server.drain()
    }

    /// As one whose window is full: what it asks for piles up with the client and not here.
    @Test(arguments: [false, true]) func whoTakesNoAnswersGetsNoMore(_ byDecoder: Bool) throws {
        let calls = RequestTests.echo()
        let bench = try Bench(calls, [.echo("GET", "/echo", on: calls)])
        if byDecoder {
            // Chunks are the decoder's.
            let first = "GET /healthz HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            _ = try bench.send(first)
        }
        bench.channel.isWritable = false
        bench.channel.pipeline.fireChannelWritabilityChanged()
        let many = String(repeating: request("GET", "/healthz"), count: 20)
        #expect(try bench.send(many).isEmpty)
        guard !byDecoder else { return #expect(!bench.channel.isActive, "it has read what it cannot hold back") }
        bench.channel.isWritable = true
        bench.channel.pipeline.fireChannelWritabilityChanged()
        bench.loop.run()
        #expect(try bench.received().components(separatedBy: "HTTP/1.1 200 ").count == 21)
    }

    /// Each part comes in time for the next, and the whole would take for ever.
    @Test func aBodyThatDripsIsRefused() throws {
        let calls = RequestTests.echo()
        let bench = try Bench(calls, [.echo("POST", "/echo", on: calls)])
        let head = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
        #expect(try bench.send(head).isEmpty)
        var answer = ""
        for _ in 0..<10 where answer.isEmpty {
            bench.advance(seconds: bench.core.configuration.timeouts.body.nanoseconds / 1_000_000_000 - 1)
            answer = try bench.send(" ")
        }
        #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("request.timeout"), "\(answer)")
    }

    /// With TLS: no hello, and none of the streams that HTTP/2 is for.
    @Test func whoSaysNothingIsNotWaitedFor() async throws {
        let calls = RequestTests.echo()
        let gateway = try await HTTP2Gateway.start(calls, [.echo("GET", "/echo", on: calls)]) {
            $0.timeouts.headers = .milliseconds(200)
            $0.timeouts.keepAlive = .milliseconds(200)
        }
        let silent = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(to: try #require(gateway.channel.remoteAddress)).get()
        try await silent.closeFuture.get()
        try await gateway.channel.closeFuture.get()
        await gateway.server.drain()
    }
}
