// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

@testable import Gateway
@testable import Runtime

/// A gateway with TLS and one HTTP/2 connection to it.
struct HTTP2Gateway {
    let server: GatewayServer
    let channel: any Channel
    private let streams: NIOHTTP2Handler.StreamMultiplexer

    /// Collects the text of one answer.
    final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = HTTPClientResponsePart
        let answer: EventLoopPromise<String>
        private let text = Mutex("")

        init(_ answer: EventLoopPromise<String>) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): text.withLock { $0 += "\(head.status.code) " }
            case .body(let part): text.withLock { $0 += String(buffer: part) }
            case .end: answer.succeed(text.withLock { $0 })
            }
        }

        func channelInactive(context: ChannelHandlerContext) { answer.fail(ChannelError.eof) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { answer.fail(error) }
    }

    static func start(
        _ calls: FakeCalls, _ entries: [RouteEntry], _ configure: (inout GatewayConfiguration) -> Void = { _ in }
    ) async throws -> HTTP2Gateway {
        let certificate = try file("certificate.pem", Self.certificate)
        let key = try file("key.pem", Self.key)
        let gateway = try await LiveGateway(calls, entries) {
            configure(&$0)
            $0.tls = .init(certificateFile: certificate, keyFile: key)
        }
        try FileManager.default.removeItem(atPath: certificate)
        try FileManager.default.removeItem(atPath: key)
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.applicationProtocols = ["h2"]
        let tls = try NIOSSLContext(configuration: configuration)
        let (channel, streams) = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(to: gateway.address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: "localhost"))
                    let streams = try pipeline.configureHTTP2Pipeline(
                        mode: .client, connectionConfiguration: .init(), streamConfiguration: .init()
                    ) { stream in stream.eventLoop.makeSucceededVoidFuture() }
                    return (channel, streams)
                }
            }
        return HTTP2Gateway(server: gateway.server, channel: channel, streams: streams)
    }

    /// Sends a request on a stream of its own; the answer's text, after its status.
    func request(
        _ method: HTTPMethod, _ path: String, body: String = ""
    ) async throws -> (any Channel, EventLoopFuture<String>) {
        let promise = channel.eventLoop.makePromise(of: String.self)
        let stream = try await streams.createStreamChannel { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(HTTP2FramePayloadToHTTP1ClientCodec(httpProtocol: .https))
                try stream.pipeline.syncOperations.addHandler(Collector(promise))
            }
        }.get()
        let head = HTTPRequestHead(version: .http2, method: method, uri: path, headers: ["host": "localhost"])
        stream.write(HTTPClientRequestPart.head(head), promise: nil)
        if !body.isEmpty {
            stream.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(string: body))), promise: nil)
        }
        stream.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        return (stream, promise.futureResult)
    }

    func get(_ path: String) async throws -> (any Channel, EventLoopFuture<String>) { try await request(.GET, path) }

    private static func file(_ name: String, _ text: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("gateway-\(UUID())-\(name)").path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// Self-signed, for localhost, used nowhere else.
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBlTCCATugAwIBAgIUKI1fND5EjpxyjoVhWBH/HIFZc5YwCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjA1MjUzNVoYDzIxMjYxMDI5
        MDUyNTM1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAAR2w7bmeYSMFpeejAPZFWJizrXq+RjhQherqFii8AGBPH7hvJ6Wvd94
        Iu0R6guju6yoDXle7gKvwIDC5wSugVaPo2kwZzAdBgNVHQ4EFgQUsV2ohM1RiQQU
        mgiIVTB/JeqloEAwHwYDVR0jBBgwFoAUsV2ohM1RiQQUmgiIVTB/JeqloEAwDwYD
        VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
        SAAwRQIgN4112siveVg5mdqQcn8/6OEZecqy/MzEbpoYJejPxfcCIQCYO8ZD5k22
        EsC+lowLmgewtR7lXJZu3A8OIXmMeynK9w==
        -----END CERTIFICATE-----
        """
    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZ7FAxqqi7WOeakMY
        QQMAqFOUOgfNJuMfSUB0dWYk7iihRANCAAR2w7bmeYSMFpeejAPZFWJizrXq+Rjh
        QherqFii8AGBPH7hvJ6Wvd94Iu0R6guju6yoDXle7gKvwIDC5wSugVaP
        -----END PRIVATE KEY-----
        """
}
