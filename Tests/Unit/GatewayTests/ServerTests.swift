// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import JWTKit
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing
import TheatreContracts

@testable import Gateway
@testable import Runtime

/// A bound gateway and a client that speaks text.
struct LiveGateway {
    let server: GatewayServer
    let address: SocketAddress

    init(
        _ calls: any CallStarting, _ entries: [RouteEntry], services: GatewayServices = GatewayServices(),
        _ configure: (inout GatewayConfiguration) -> Void = { _ in }
    ) async throws {
        var configuration = GatewayConfiguration()
        configuration.port = 0
        configure(&configuration)
        server = GatewayServer(
            configuration: configuration, table: try GatewayTable(entries), calls: calls, services: services,
            group: MultiThreadedEventLoopGroup.singleton, log: Logger(label: "test"))
        address = try await server.start()
    }

    func connect() async throws -> LiveClient {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(to: address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return LiveClient(channel: channel)
    }
}

struct LiveClient {
    let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// Sends text and reads until `marker` has come or the server closes.
    func ask(_ text: String, until marker: String) async throws -> String {
        try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            var answer = ""
            for try await part in inbound {
                answer += String(buffer: part)
                if answer.contains(marker) { break }
            }
            return answer
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct ServerTests {
    static func services(_ signer: AccessTests.Signer) async throws -> GatewayServices {
        var services = GatewayServices()
        services.tokens = try await JWTVerifier(keys: [signer.jwk], issuer: "theatre", audience: "api")
        return services
    }

    static func claims(_ sub: String = "usr_1", roles: [String] = []) -> AccessTests.Claims {
        AccessTests.Claims(sub: sub, exp: Double(wallMilliseconds() / 1000 + 600), roles: roles, tenant: "t1")
    }

    @Test func accessMatrix() async throws {
        let signer = try await AccessTests.Signer()
        let calls = RequestTests.echo()
        let kinds = ["anyone", "user", "service", "admin"]
        let rows = Mutex<[AuditRecord]>([])
        var services = try await Self.services(signer)
        services.audit = { row in rows.withLock { $0.append(row) } }
        let gateway = try await LiveGateway(
            calls, kinds.map { .echo("GET", "/\($0)", on: calls, access: $0) }, services: services)
        let tokens = [
            ("none", ""), ("bad", "x.y.z"), ("user", try await signer.sign(Self.claims())),
            ("service", try await signer.sign(Self.claims("svc:a"))),
            ("admin", try await signer.sign(Self.claims(roles: ["admin"]))),
        ]
        let expected = [
            "none": [200, 401, 401, 401], "bad": [401, 401, 401, 401], "user": [200, 200, 403, 403],
            "service": [200, 403, 200, 403], "admin": [200, 200, 403, 200],
        ]
        for (name, token) in tokens {
            let headers = token.isEmpty ? [] : ["Authorization: Bearer \(token)"]
            for (kind, status) in zip(kinds, expected[name] ?? []) {
                for _ in 0..<2 {
                    let answer = try await gateway.connect().ask(request("GET", "/\(kind)", headers), until: "\r\n\r\n")
                    #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(name) \(kind): \(answer)")
                    if status == 401 { #expect(answer.contains("www-authenticate: Bearer")) }
                }
            }
        }
        #expect(rows.withLock { $0.count } == 2 * 12)
        #expect(calls.calls.last?.context.message.roles == ["admin"])
        #expect(calls.calls.last?.context.message.tenant == "t1")
        await gateway.server.drain()
    }

    @Test func refusalBeforeTheBodyIsReadReachesTheClient() async throws {
        let signer = try await AccessTests.Signer()
        let calls = RequestTests.echo()
        let gateway = try await LiveGateway(
            calls, [.echo("POST", "/user", on: calls, access: "user")], services: try await Self.services(signer))
        for _ in 0..<20 {
            let text = request("POST", "/user", ["Content-Type: application/json"], body: "{}")
            let answer = try await gateway.connect().ask(text, until: "\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 401 "), "\(answer)")
        }
        await gateway.server.drain()
    }

    @Test func revokedSessionIsRefusedAlthoughItsTokenWasCached() async throws {
        let signer = try await AccessTests.Signer()
        let calls = RequestTests.echo()
        let gateway = try await LiveGateway(
            calls, [.echo("GET", "/me", on: calls, access: "user")], services: try await Self.services(signer))
        let text = request("GET", "/me", ["Authorization: Bearer \(try await signer.sign(Self.claims()))"])
        #expect(try await gateway.connect().ask(text, until: "\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
        gateway.server.revoke(session: "ses_1")
        #expect(try await gateway.connect().ask(text, until: "\r\n\r\n").hasPrefix("HTTP/1.1 401 "))
        await gateway.server.drain()
    }

    @Test func drainFinishesWhatIsInFlightAndAcceptsNothingMore() async throws {
        let calls = FakeCalls()
        let (started, starts) = AsyncStream.makeStream(of: Void.self)
        calls.serve("test.Echo/Echo") { _ in
            starts.yield()
            return nil
        }
        let gateway = try await LiveGateway(calls, [.echo("GET", "/echo", on: calls)])
        let client = try await gateway.connect()
        async let answer = client.ask(request("GET", "/echo"), until: "done")
        for await _ in started { break }
        async let drained: Void = gateway.server.drain()
        while !gateway.server.core.isDraining.load(ordering: .relaxed) { await Task.yield() }
        while calls.open == 0 { await Task.yield() }
        calls.finish(.success(Array("done".utf8)))
        let text = try await answer
        #expect(text.hasSuffix("done"))
        #expect(text.contains("connection: close"))
        await drained
        await #expect(throws: (any Error).self) { _ = try await gateway.connect() }
    }

    @Test func drainTimeOutClosesWhatDoesNotFinish() async throws {
        let calls = FakeCalls()
        let (started, starts) = AsyncStream.makeStream(of: Void.self)
        calls.serve("test.Echo/Echo") { _ in
            starts.yield()
            return nil
        }
        let gateway = try await LiveGateway(calls, [.echo("GET", "/echo", on: calls)]) {
            $0.timeouts.drain = .milliseconds(50)
        }
        let client = try await gateway.connect()
        async let answer = client.ask(request("GET", "/echo"), until: "done")
        for await _ in started { break }
        await gateway.server.drain()
        #expect(try await answer.isEmpty)
        #expect(calls.cancelled == 1)
    }

    @Test func theDescriptionIsMadeOnceAndGoesWithItsTable() async throws {
        let calls = RequestTests.echo()
        let made = Atomic(0)
        func table(_ text: String) throws -> GatewayTable {
            try GatewayTable([.echo("GET", "/echo", on: calls)]) {
                made.add(1, ordering: .relaxed)
                return Array(text.utf8)
            }
        }
        let gateway = try await LiveGateway(calls, [])
        gateway.server.replace(try table(#"{"of":"old"}"#))
        #expect(made.load(ordering: .relaxed) == 0)
        for _ in 0..<3 {
            let answer = try await gateway.connect().ask(request("GET", "/openapi.json"), until: "}")
            #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix(#"{"of":"old"}"#), "\(answer)")
        }
        #expect(made.load(ordering: .relaxed) == 1)
        gateway.server.replace(try table(#"{"of":"new"}"#))
        #expect(
            try await gateway.connect().ask(request("GET", "/openapi.json"), until: "}").hasSuffix(#"{"of":"new"}"#))
        #expect(made.load(ordering: .relaxed) == 2)
        await gateway.server.drain()
    }

    @Test func tableIsSwappedForTheNextRequest() async throws {
        let calls = RequestTests.echo()
        let gateway = try await LiveGateway(calls, [.echo("GET", "/old", on: calls)])
        gateway.server.replace(try GatewayTable([.echo("GET", "/new", on: calls)]))
        #expect(try await gateway.connect().ask(request("GET", "/new"), until: "\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
        #expect(try await gateway.connect().ask(request("GET", "/old"), until: "\r\n\r\n").hasPrefix("HTTP/1.1 404 "))
        await gateway.server.drain()
    }
}
