// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Glibc
import Runtime

/// A call to a plugin in a process of its own, against a unary call of grpc-swift-2 over a Unix socket that passes the
/// same bytes.
enum Remoting {
    private static let size = 256
    private static let count = 1000

    static func run(_ world: World, _ table: inout Table) async throws {
        let echo = try world.target("echo-c")
        let path = FileManager.default.temporaryDirectory.appending(path: "theatre-bench-\(getpid()).sock").path
        let server = HTTP2ServerTransport.Posix(
            address: .unixDomainSocket(path: path), transportSecurity: .plaintext,
            config: .defaults { $0.connection.flushCoalescing = nil })
        var bare = Samples()
        var measured = Samples()
        (bare, measured) = try await withGRPCServer(transport: server, services: [EchoService()]) { _ in
            _ = try await server.listeningAddress
            let transport = try HTTP2ClientTransport.Posix(
                target: .unixDomainSocket(path: path, authority: "localhost"), transportSecurity: .plaintext,
                config: .defaults { $0.connection.flushCoalescing = nil })
            return try await withGRPCClient(transport: transport) { client in
                var bare = Samples()
                var measured = Samples()
                for round in 0..<15 {
                    let a = try await nanoseconds(count) { try await calls(client) }
                    let b = try Isolating.calls(world.dispatcher, echo, window: 1, count: count)
                    guard round > 1 else { continue }
                    bare.add(a / 1000)
                    measured.add(b / 1000)
                }
                return (bare, measured)
            }
        }
        table.add(
            Row(
                "isolated call against gRPC on a Unix socket, 256 B", unit: "us", bare: bare, measured,
                target: "<= 0.2x"
            ) { $0 <= 0.2 })
    }

    private static func calls(_ client: GRPCClient<HTTP2ClientTransport.Posix>) async throws {
        let message = [UInt8](repeating: 0, count: size)
        for _ in 0..<count {
            let answer = try await client.unary(
                request: ClientRequest(message: message), descriptor: EchoService.method, serializer: RawBytes(),
                deserializer: RawBytes(), options: .defaults
            ) { try $0.message.count }
            guard answer == size else { throw BenchmarkFailure("the echo has \(answer) bytes") }
        }
    }
}

/// Answers with what it is asked.
private struct EchoService: RegistrableRPCService {
    static let method = MethodDescriptor(fullyQualifiedService: "theatre.http.v1.Handler", method: "Handle")

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerHandler(
            forMethod: Self.method, deserializer: RawBytes(), serializer: RawBytes()
        ) { request, _ in
            let message = try await ServerRequest(stream: request).message
            return StreamingServerResponse(single: ServerResponse(message: message))
        }
    }
}

/// The bytes as they are.
private struct RawBytes: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }

    func deserialize<Bytes: GRPCContiguousBytes>(_ serializedMessageBytes: Bytes) throws -> [UInt8] {
        serializedMessageBytes.withUnsafeBytes { Array($0) }
    }
}
