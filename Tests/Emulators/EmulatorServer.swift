// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
public import NIOHTTP1
import NIOPosix

/// A small real HTTP/1.1 server on loopback, port chosen by the system: what each provider's emulator stands on.
public final class EmulatorServer: Sendable {
    /// `http://127.0.0.1:PORT`.
    public let url: String
    private let channel: any Channel

    /// Binds and serves. `handler` gets each request whole and answers through the exchange, at once or later, on any thread.
    public init(_ handler: @escaping @Sendable (EmulatorRequest, EmulatorExchange) -> Void) throws {
        let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(EmulatorHandler(handler))
                }
            }
        channel = try bootstrap.bind(host: "127.0.0.1", port: 0).wait()
        url = "http://127.0.0.1:\(channel.localAddress?.port ?? 0)"
    }

    /// Stops accepting.
    public func stop() throws { try channel.close().wait() }
}

/// A request as it arrived.
public struct EmulatorRequest: Sendable {
    /// Upper case.
    public var method: String
    /// Path and query as received.
    public var uri: String
    /// As received.
    public var headers: HTTPHeaders
    /// As received.
    public var body: [UInt8]
    /// Path without the query.
    public var path: String { String(uri.prefix { $0 != "?" }) }
}

/// One answer being given: whole, or in parts, or cut off.
public struct EmulatorExchange: Sendable {
    let channel: any Channel

    /// Answers whole.
    public func respond(_ status: Int, _ headers: [(String, String)] = [], _ body: String = "") {
        respond(status, headers, bytes: Array(body.utf8))
    }

    /// Answers whole.
    public func respond(_ status: Int, _ headers: [(String, String)] = [], bytes: [UInt8]) {
        start(status, headers + [("content-length", "\(bytes.count)")])
        if !bytes.isEmpty { send(bytes) }
        end()
    }

    /// Sends the head of an answer in parts; without a content-length it is chunked.
    public func start(_ status: Int, _ headers: [(String, String)] = []) {
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: HTTPHeaders(headers))
        channel.writeAndFlush(HTTPServerResponsePart.head(head), promise: nil)
    }

    /// Sends a part of the body.
    public func send(_ bytes: [UInt8]) {
        channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: bytes))), promise: nil)
    }

    /// Ends the answer.
    public func end() { channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil) }

    /// Cuts the connection, whatever was said so far.
    public func cut() { channel.close(mode: .all, promise: nil) }

    /// True once the client is gone.
    public var isGone: Bool { !channel.isActive }

    /// Calls `body` when the client is gone.
    public func onGone(_ body: @escaping @Sendable () -> Void) { channel.closeFuture.whenComplete { _ in body() } }
}

private final class EmulatorHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    private let handler: @Sendable (EmulatorRequest, EmulatorExchange) -> Void
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ handler: @escaping @Sendable (EmulatorRequest, EmulatorExchange) -> Void) { self.handler = handler }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let buffer):
            body += buffer.readableBytesView
        case .end:
            guard let head else { return }
            let request = EmulatorRequest(
                method: head.method.rawValue, uri: head.uri, headers: head.headers, body: body)
            handler(request, EmulatorExchange(channel: context.channel))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
