// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// An HTTP server on a free port of loopback that answers by a closure.
final class TestServer: Sendable {
    struct Request: Sendable {
        var head: HTTPRequestHead
        var body: [UInt8]
        var channel: any Channel
    }

    typealias Answer = @Sendable (Request) -> Void

    let port: Int
    private let channel: any Channel

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []
        private let answer: Answer

        init(_ answer: @escaping Answer) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = []
            case .body(let part): body += part.readableBytesView
            case .end:
                if let head { answer(Request(head: head, body: body, channel: context.channel)) }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private final class Seen: Sendable {
        let requests = Mutex<[Request]>([])
    }

    private let record: Seen

    static func open(tls: NIOSSLContext? = nil, _ answer: @escaping Answer) async throws -> TestServer {
        let record = Seen()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        Handler { request in
                            record.requests.withLock { $0.append(request) }
                            answer(request)
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TestServer(channel, record)
    }

    private init(_ channel: any Channel, _ record: Seen) {
        self.channel = channel
        self.record = record
        port = channel.localAddress?.port ?? 0
    }

    var received: [Request] { record.requests.withLock { $0 } }

    func close() async throws { try await channel.close() }
}

extension TestServer.Request {
    /// Answers whole.
    func answer(_ status: HTTPResponseStatus = .ok, _ headers: HTTPHeaders = [:], _ body: [UInt8] = []) {
        var headers = headers
        headers.replaceOrAdd(name: "content-length", value: "\(body.count)")
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
        channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
    }
}
