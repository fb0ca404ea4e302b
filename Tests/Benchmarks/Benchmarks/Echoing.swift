// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Gateway
import Glibc
import JWTKit
import Logging
import NIOCore
import NIOPosix
import Registry
import Runtime
import TheatreManifest

/// HTTP echo over 64 connections: the gateway with its access check and a plugin, against a bare handler.
enum Echoing {
    private static let rounds = 8
    private static let seconds = 2

    static func run(_ world: World, _ table: inout Table) async throws {
        guard LoadGenerator.isInstalled else {
            print("wrk is not installed; no figures for HTTP (apt-get install wrk)")
            return
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let bare = try await BareServer.start(group)
        let token = try await SignedToken()
        let gateway = try server(world, token, group)
        let address = try await gateway.start()
        guard let port = address.port, let barePort = bare.localAddress?.port else {
            throw BenchmarkFailure("a server has no port")
        }
        let load = try LoadGenerator(token: token.text)
        let paths = ["/echo/inline", "/echo/pool", "/echo/c"]
        var figures = paths.map { _ in Samples() }
        var plain = Samples()
        var plainCost = Samples()
        var costs = paths.map { _ in Samples() }
        try load.run(port: barePort, path: "/", seconds: 1)
        for path in paths { try load.run(port: port, path: path, seconds: 1) }
        for _ in 0..<rounds {
            let (rate, cost) = try measure(load, barePort, "/")
            plain.add(rate)
            plainCost.add(cost)
            for (index, path) in paths.enumerated() {
                let (rate, cost) = try measure(load, port, path)
                figures[index].add(rate)
                costs[index].add(cost)
            }
        }
        let headers = "\(load.headerCount) headers"
        table.add(
            Row("HTTP echo, Swift plugin inline, \(headers)", unit: "rps", bare: plain, figures[0], target: ">= 0.6x") {
                $0 >= 0.6
            })
        table.add(
            Row("HTTP echo, Swift plugin pool, \(headers)", unit: "rps", bare: plain, figures[1], target: ">= 0.6x") {
                $0 >= 0.6
            })
        table.add(
            Row("HTTP echo, C plugin, \(headers)", unit: "rps", bare: plain, figures[2], target: ">= 0.7x") {
                $0 >= 0.7
            })
        for (name, cost) in zip(["Swift plugin inline", "Swift plugin pool", "C plugin"], costs) {
            table.add(
                Row("processor time a request, \(name)", unit: "us", bare: plainCost, cost, target: "printed"))
        }
        await gateway.drain()
        try await bare.close()
        try await group.shutdownGracefully()
    }

    /// Requests per second, and microseconds of this process a request.
    private static func measure(_ load: LoadGenerator, _ port: Int, _ path: String) throws -> (Double, Double) {
        let before = processorMicroseconds()
        let rate = try load.run(port: port, path: path, seconds: seconds)
        return (rate, (processorMicroseconds() - before) / (rate * Double(seconds)))
    }

    private static func processorMicroseconds() -> Double {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        func microseconds(_ time: timeval) -> Double { Double(time.tv_sec) * 1e6 + Double(time.tv_usec) }
        return microseconds(usage.ru_utime) + microseconds(usage.ru_stime)
    }

    /// A gateway with the echo plugins' routes.
    private static func server(_ world: World, _ token: SignedToken, _ group: any EventLoopGroup) throws
        -> GatewayServer
    {
        var entries: [RouteEntry] = []
        for instance in world.deployment.table.instances {
            for route in instance.plugin.manifest.routes {
                let name = instance.declaration.name
                let dispatcher = world.dispatcher
                entries.append(
                    RouteEntry(
                        route: route, instance: name, body: .raw,
                        target: { () throws(CallError) in
                            try dispatcher.target(instance: name, operation: route.operation)
                        }))
            }
        }
        var configuration = GatewayConfiguration()
        configuration.port = 0
        var services = GatewayServices()
        services.tokens = token.verifier
        var log = Logger(label: "benchmarks")
        log.logLevel = .warning
        return GatewayServer(
            configuration: configuration, table: try GatewayTable(entries), calls: world.dispatcher, services: services,
            group: group, log: log)
    }
}

/// An access token and what verifies it, with a key made for the run.
struct SignedToken {
    let text: String
    let verifier: JWTVerifier

    init() async throws {
        let key = try EdDSA.PrivateKey()
        let point = key.publicKey.rawRepresentation.base64EncodedString().replacing("+", with: "-")
            .replacing("/", with: "_").replacing("=", with: "")
        let kid = JWKIdentifier(string: "bench")
        let keys = JWTKeyCollection()
        await keys.add(eddsa: key, kid: kid)
        text = try await keys.sign(Claims(), kid: kid, header: ["typ": .string("at+jwt")])
        verifier = try await JWTVerifier(
            keys: [#"{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"bench","x":"\#(point)"}"#], issuer: "theatre",
            audience: "theatre")
    }

    private struct Claims: JWTPayload {
        var iss = "theatre"
        var sub = "usr_bench"
        var aud = ["theatre"]
        var exp = 4_000_000_000.0
        var sid = "ses_bench"
        var roles = ["user"]
        var tenant = "default"
        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }
}
