// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1

/// Stands first on an HTTP/1.1 connection. Plain requests it reads itself and hands over one at a time, and their whole
/// answers it writes past the encoder. At the first request that is anything else the connection becomes the decoder's
/// for good. Used on the loop only.
final class RequestReader: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Longer heads, and those that come in more pieces, are the decoder's.
    private static let headLimit = 16 * 1024
    private static let pieceLimit = 4

    private let handler: RequestHandler
    private let limits: GatewayConfiguration.Limits
    private var context: ChannelHandlerContext?
    /// Whether requests are read here.
    private(set) var isPlain = true
    /// The connection is to close once the request being served is answered.
    private(set) var isQuiescing = false
    /// What came and was not handed over: the start of a head, or what a client sent before it had its answer.
    private var held = ByteBuffer()
    /// Bytes of the body that are still to come; nil between requests.
    private var rest: Int?
    private var pieces = 0
    private var isServing = false
    private var readWaits = false
    /// Where the decoder reads: bytes of a head so far.
    private var headBytes = 0
    /// Bytes of a body's framing beyond what bodies need.
    private var framing = 0
    /// With a chunk for each byte: its size, two ends of lines, and itself.
    private static let framingOfByte = 6

    init(_ handler: RequestHandler, limits: GatewayConfiguration.Limits) {
        self.handler = handler
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        guard isPlain else { return pass(bytes, context) }
        if held.readableBytes == 0 { held = bytes } else { held.writeBuffer(&bytes) }
        handler.beginRead()
        serve(context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard isPlain else { return context.fireChannelReadComplete() }
        if handler.endRead() { context.flush() }
    }

    /// Reading goes on while a request is served, so that a client that leaves is seen, but not beyond what came since, and
    /// not while the client takes none of its answers.
    func read(context: ChannelHandlerContext) {
        let isBehind = isPlain && held.readableBytes > 0 && handler.isAnswering
        if isBehind || !context.channel.isWritable { readWaits = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        context.fireChannelWritabilityChanged()
        if context.channel.isWritable { goOn() }
    }

    /// Hands over what has come, up to the end of the request that is then served.
    private func serve(_ context: ChannelHandlerContext) {
        guard !isServing else { return }
        isServing = true
        defer { isServing = false }
        while isPlain {
            if let rest {
                takeBody(rest)
                guard self.rest == nil else { return }
            } else if held.readableBytes == 0 || handler.isAnswering || isQuiescing || !context.channel.isWritable {
                return
            } else if handler.isClosing {
                held = ByteBuffer()
                return
            } else if !takeHead(context) {
                return
            }
        }
    }

    /// Hands over what has come of the body, and its end.
    private func takeBody(_ rest: Int) {
        var left = rest
        if left > 0, held.readableBytes > 0 {
            let count = min(left, held.readableBytes)
            guard let part = held.readSlice(length: count) else { return }
            left -= count
            if held.readableBytes == 0 { held = ByteBuffer() }
            self.rest = left
            handler.receive(part)
        }
        guard left == 0 else { return }
        self.rest = nil
        handler.endOfRequest()
    }

    /// Hands over a head; false where none is whole.
    private func takeHead(_ context: ChannelHandlerContext) -> Bool {
        let head: PlainHead
        do throws(PlainHead.Stop) {
            head = try held.withUnsafeReadableBytes { bytes throws(PlainHead.Stop) in
                try PlainHead(bytes, known: handler.lastCaller?.header)
            }
        } catch {
            pieces += 1
            if error == .other || pieces > Self.pieceLimit || held.readableBytes > Self.headLimit {
                decode(context)
            } else {
                _ = handler.readsHead()
            }
            return false
        }
        guard head.length <= Self.headLimit, head.headers.bytes <= limits.headers,
            head.headers.count <= limits.headerCount
        else {
            decode(context)
            return false
        }
        pieces = 0
        let start = held.readerIndex + head.lines.lowerBound
        let lines = held.getSlice(at: start, length: head.lines.count) ?? ByteBuffer()
        held.moveReaderIndex(forwardBy: head.length)
        if held.readableBytes == 0 { held = ByteBuffer() }
        rest = head.headers.contentLength ?? 0
        handler.begin(RequestHead(head, lines: lines), head.headers)
        return true
    }

    /// A request was answered, or the client takes answers again: what came meanwhile is served next.
    func goOn() {
        guard !isServing, let context else { return }
        if isPlain, held.readableBytes > 0 {
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.execute {
                let (reader, context) = bound.value
                guard reader.context != nil else { return }
                reader.serve(context)
                reader.resumeReading(context)
            }
        } else {
            resumeReading(context)
        }
    }

    private func resumeReading(_ context: ChannelHandlerContext) {
        guard readWaits, context.channel.isWritable,
            !isPlain || held.readableBytes == 0 || !handler.isAnswering
        else { return }
        readWaits = false
        context.read()
    }

    // MARK: The decoder

    /// Leaves the connection to the decoder, beginning with the bytes that are held.
    private func decode(_ context: ChannelHandlerContext) {
        isPlain = false
        var decoding = NIOHTTPDecoderLimitConfiguration()
        decoding.maxHeaderFieldSize = limits.headers
        decoding.maxHeaderListSize = limits.headers
        decoding.maxHeaderFieldCount = limits.headerCount
        let pipeline = context.pipeline.syncOperations
        do {
            let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: decoding)
            try pipeline.addHandler(ByteToMessageHandler(decoder), position: .before(handler))
            let whole = WholeResponses(self)
            handler.whole = whole
            try pipeline.addHandler(whole, position: .before(handler))
            try pipeline.addHandler(HTTPServerPipelineHandler(), position: .before(handler))
        } catch {
            return context.close(promise: nil)
        }
        let bytes = held
        held = ByteBuffer()
        pass(bytes, context)
        context.fireChannelReadComplete()
    }

    private func pass(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        if handler.readsHead() {
            headBytes += bytes.readableBytes
            framing = 0
        } else {
            headBytes = 0
        }
        let before = handler.bodyBytes
        context.fireChannelRead(wrapInboundOut(bytes))
        if handler.isReadingHead, headBytes > limits.headers + limits.target + 16 * 1024 {
            return handler.refuseConnection(.headersTooLarge)
        }
        guard let exchange = handler.exchange, !exchange.isComplete else { return }
        // Chunks may say more of themselves than they hold, and the decoder throws it away without end.
        framing += bytes.readableBytes - Self.framingOfByte * (handler.bodyBytes - before)
        framing = max(framing, 0)
        if framing > limits.headers + limits.target + 64 * 1024 {
            handler.refuseBody(
                exchange,
                ErrorResponse(.badRequest, "request.malformed", "The chunks say more of themselves than they hold."))
        }
    }

    // MARK: Closing

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if isPlain, event is ChannelShouldQuiesceEvent {
            isQuiescing = rest != nil || handler.isAnswering
            if !isQuiescing { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Writing

    /// Writes bytes past the encoder.
    func write(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>?) {
        guard let context else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        context.write(wrapOutboundOut(bytes), promise: promise)
    }

    func flush() { context?.flush() }

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
