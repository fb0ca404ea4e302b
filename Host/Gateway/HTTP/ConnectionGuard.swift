// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1

/// Stands before the HTTP/1.1 decoder: sees bytes the decoder still holds, and answers what never became a request.
final class ConnectionGuard: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?
    private var headBytes = 0
    private let headLimit: Int
    private let handler: RequestHandler

    init(_ handler: RequestHandler, headLimit: Int) {
        self.handler = handler
        self.headLimit = headLimit
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if handler.readsHead() {
            headBytes += unwrapInboundIn(data).readableBytes
        } else {
            headBytes = 0
        }
        context.fireChannelRead(data)
        if handler.isReadingHead, headBytes > headLimit {
            handler.refuseConnection(
                ErrorResponse(
                    .requestHeaderFieldsTooLarge, "request.headers_too_large",
                    "The headers are too long; send less."))
        }
    }

    /// Writes bytes past the encoder.
    func write(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>?) {
        guard let context else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        context.write(wrapOutboundOut(bytes), promise: promise)
    }

    /// Writes a whole response past the encoder and closes.
    func refuse(_ error: ErrorResponse, trace: String, correlation: String) {
        guard let context else { return }
        var body = ByteBuffer()
        error.write(into: &body, trace: trace, correlation: correlation)
        var out = ByteBuffer()
        out.writeString(
            """
            HTTP/1.1 \(error.status.code) \(error.status.reasonPhrase)\r
            content-type: application/json\r
            content-length: \(body.readableBytes)\r
            x-request-id: \(correlation)\r
            connection: close\r
            \r

            """)
        out.writeBuffer(&body)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(out)).whenComplete { _ in channel.close(promise: nil) }
    }
}
