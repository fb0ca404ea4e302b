// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Synchronization
import Testing
import TheatreManifest

@testable import Gateway
@testable import Runtime

/// What is turned away when there is too much, and what is not.
@Suite(.timeLimit(.minutes(1))) struct SheddingTests {
    private static func status(_ answer: String) -> String { String(answer.dropFirst(9).prefix(3)) }

    /// A bench whose calls stay open, and so many of them.
    private static func busy(
        _ count: Int, rate: String = "default", _ configure: (inout GatewayConfiguration) -> Void
    ) throws -> (first: Bench, others: [Bench]) {
        let calls = FakeCalls()
        calls.serve("test.Echo/Echo") { call in call.payload.starts(with: Array("name=".utf8)) ? .success([]) : nil }
        let first = try Bench(
            calls,
            [
                .echo("GET", "/wait", on: calls, rate: rate), .echo("GET", "/echo/{name}", on: calls),
                .echo("GET", "/same/{name}", on: calls, rate: rate),
            ], configure)
        first.know("good", Principal(id: "usr_a", kind: .user, expiresAt: .max))
        let others = try (0..<count).map { _ in
            let bench = try Bench(sharing: first)
            #expect(try bench.send(request("GET", "/wait")).isEmpty)
            return bench
        }
        return (first, others)
    }

    @Test func strangersAreTurnedAwayBeforeThoseWhoAreSignedIn() throws {
        let (bench, others) = try Self.busy(12) { $0.limits.requests = 16 }
        let refused = try bench.send(request("GET", "/echo/a"))
        #expect(Self.status(refused) == "503" && refused.contains("request.overloaded"), "\(refused)")
        #expect(refused.contains("retry-after: 1\r\n") && refused.contains("\"retryable\":true"))
        let signedIn = ["Authorization: Bearer good"]
        #expect(try Self.status(bench.send(request("GET", "/echo/a", signedIn))) == "200")
        #expect(try Self.status(bench.send(request("GET", "/healthz"))) == "200")
        let more = try (0..<4).map { _ in
            let bench = try Bench(sharing: bench)
            #expect(try bench.send(request("GET", "/wait", signedIn)).isEmpty)
            return bench
        }
        #expect(try Self.status(bench.send(request("GET", "/echo/a", signedIn))) == "503")
        #expect(try Self.status(bench.send(request("GET", "/healthz"))) == "200", "is never turned away")
        for gone in others + more { try gone.channel.close().wait() }
        #expect(try Self.status(bench.send(request("GET", "/echo/a"))) == "200")
    }

    @Test func aClassHasItsPlacesAndGivesThemBack() throws {
        let (bench, others) = try Self.busy(2, rate: "login") {
            $0.rates["login"] = .init(perMinute: 6000, burst: 100)
            $0.rates["login"]?.concurrent = 2
        }
        #expect(try Self.status(bench.send(request("GET", "/same/a"))) == "503")
        #expect(try Self.status(bench.send(request("GET", "/echo/a"))) == "200", "of another class")
        try others[0].channel.close().wait()
        for _ in 0..<3 { #expect(try Self.status(bench.send(request("GET", "/same/a"))) == "200") }
        try others[1].channel.close().wait()
    }

    @Test func oneAddressHasItsShareOfTheConnectionsAndAProxyAsManyAsItLikes() async throws {
        for isProxy in [false, true] {
            let calls = RequestTests.echo()
            let gateway = try await LiveGateway(calls, [.echo("GET", "/echo", on: calls)]) {
                $0.limits.connectionsOfOne = 2
                $0.trustedProxies = isProxy ? [AddressBlock("127.0.0.0/8")].compactMap(\.self) : []
            }
            let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            let first = try await bootstrap.connect(to: gateway.address).get()
            let second = try await bootstrap.connect(to: gateway.address).get()
            while gateway.server.core.connections.load(ordering: .relaxed) != 2 { await Task.yield() }
            if isProxy {
                let answer = try await gateway.connect().ask(request("GET", "/echo"), until: "\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 200 "))
            } else {
                try await bootstrap.connect(to: gateway.address).get().closeFuture.get()
                #expect(first.isActive && second.isActive)
            }
            try await first.close()
            try await second.close()
            while gateway.server.core.connections.load(ordering: .relaxed) != 0 { await Task.yield() }
            let answer = try await gateway.connect().ask(request("GET", "/echo"), until: "\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
            await gateway.server.drain()
        }
    }

    @Test(arguments: [("gzip", "415"), ("GZIP", "415"), ("identity", "200")])
    func aCompressedBodyIsNotTaken(_ coding: String, _ expected: String) throws {
        let calls = RequestTests.echo()
        let bench = try Bench(calls, [.echo("POST", "/echo", on: calls)])
        let answer = try bench.send(request("POST", "/echo", ["Content-Encoding: \(coding)"], body: "{}"))
        #expect(Self.status(answer) == expected, "\(answer)")
        #expect(answer.contains("request.encoding") == (expected == "415"))
    }
}
