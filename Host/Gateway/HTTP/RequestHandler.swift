// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Runtime
internal import Synchronization
internal import TheatreManifest

/// Serves the requests of one HTTP/1.1 connection, one after the other, or of one HTTP/2 stream.
final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// What the connection waits for, and so which time-out runs.
    enum Phase {
        case idle
        case head
        case body
        case answer
    }

    let core: GatewayCore
    let state: LoopState
    let isStream: Bool
    private(set) var context: ChannelHandlerContext?
    /// HTTP/1.1: hands over plain requests. It leads back here, as `whole` does, so it is let go of with the context.
    var reader: RequestReader?
    /// HTTP/1.1 read by the decoder: takes whole answers past the encoder.
    var whole: WholeResponses?
    /// Whom this connection's last request spoke for.
    var lastCaller: LastCaller?
    /// When the bytes being read came: one look at the clock serves all that they lead to at once.
    private var burst: NIODeadline?
    private(set) var exchange: Exchange?
    private var phase = Phase.head
    private var deadline = NIODeadline.distantFuture
    private var timer: Scheduled<Void>?
    private var isReading = false
    private var needsFlush = false
    private var dropsBody = false
    /// Of all bodies so far.
    private(set) var bodyBytes = 0
    /// Nothing more is served on this connection, whatever else was sent with the last request.
    private(set) var isClosing = false
    /// An answer whose body is still being sent.
    var stream: EventStream?
    /// A request whose body, and answer, go to and from the plugin as they come.
    var raw: RawStream?
    /// Whom the connection comes from: a client, or a proxy.
    private(set) lazy var peer = NetworkAddress(
        context?.channel.remoteAddress ?? context?.channel.parent?.remoteAddress)
    /// What the audit keeps of it.
    private(set) lazy var peerNetwork = peer?.networkText ?? ""

    init(core: GatewayCore, state: LoopState, isStream: Bool = false) {
        self.core = core
        self.state = state
        self.isStream = isStream
    }

    // MARK: Connection

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        enter(isStream ? .body : .head)
        if context.channel.isActive { state.opened(context.channel) }
    }

    func channelActive(context: ChannelHandlerContext) {
        state.opened(context.channel)
        context.fireChannelActive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        reader = nil
        whole = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        state.closed(context.channel)
        timer?.cancel()
        timer = nil
        stream?.stop()
        stream = nil
        if let exchange { abandon(exchange) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        core.log.debug("connection failed", metadata: ["error": "\(error)"])
        guard let parser = error as? HTTPParserError, stream == nil, raw == nil, !isClosing else {
            // What was answered already may wait for the end of this read.
            context.flush()
            context.close(promise: nil)
            return
        }
        var refusal = ErrorResponse(.badRequest, "request.malformed", "The request is not well-formed HTTP.")
        if case .headerOverflow = parser { refusal = .headersTooLarge }
        guard let exchange else { return refuseConnection(refusal) }
        refuseBody(exchange, refusal)
    }

    /// Answers a request whose body cannot be read to its end, and closes.
    func refuseBody(_ exchange: Exchange, _ error: ErrorResponse) {
        guard !exchange.isComplete, raw == nil else {
            context?.close(promise: nil)
            return
        }
        answer(exchange, error)
        isClosing = true
        context?.flush()
    }

    /// Answers outside of any request, and closes.
    func refuseConnection(_ error: ErrorResponse) {
        guard !isClosing else { return }
        isClosing = true
        core.unmatched.count(status: error.status.code, in: 0, out: 0)
        enter(.answer)
        let trace = String(state.identity.trace().traceparent.dropFirst(3).prefix(32))
        let correlation = state.identity.requestID(at: wallMilliseconds())
        if let reader {
            reader.refuse(error, trace: trace, correlation: correlation)
        } else {
            context?.close(promise: nil)
        }
    }

    // MARK: Time-outs

    var isReadingHead: Bool { if case .head = phase { true } else { false } }

    /// Bytes have come; true while they are of a request's head.
    func readsHead() -> Bool {
        if case .idle = phase { enter(.head) }
        return isReadingHead
    }

    func enter(_ phase: Phase) {
        self.phase = phase
        let times = core.configuration.timeouts
        switch phase {
        case .idle: arm(times.keepAlive)
        case .head: arm(times.headers)
        case .body: arm(times.body)
        case .answer: deadline = .distantFuture
        }
    }

    /// Moves the deadline; the timer catches up with it when it fires, so a request costs no timer.
    private func arm(_ time: TimeAmount) {
        deadline = now + time
        let soonest = min(time, core.configuration.timeouts.headers)
        if timer == nil { schedule(soonest) }
    }

    /// The loop's time, or when the bytes being read came.
    var now: NIODeadline { burst ?? state.loop.now }

    private func schedule(_ time: TimeAmount) {
        let bound = NIOLoopBound(self, eventLoop: state.loop)
        timer = state.loop.scheduleTask(in: time) { bound.value.tick() }
    }

    private func tick() {
        timer = nil
        guard let context, context.channel.isActive else { return }
        let left = deadline - state.loop.now
        guard deadline != .distantFuture, left <= .zero else {
            let most = core.configuration.timeouts.headers
            schedule(deadline == .distantFuture ? most : min(left, most))
            return
        }
        switch phase {
        case .idle: context.close(promise: nil)
        case .head:
            refuseConnection(
                ErrorResponse(.requestTimeout, "request.timeout", "The headers took too long."))
        case .body:
            guard let exchange else { return context.close(promise: nil) }
            answer(
                exchange,
                ErrorResponse(.requestTimeout, "request.timeout", "The body took too long."))
            context.close(promise: nil)
        case .answer: break
        }
    }

    // MARK: Reading

    /// Whether a request is being served.
    var isAnswering: Bool { exchange != nil }

    /// Bytes are being read: what is written goes out with ``endRead()``.
    func beginRead() {
        guard !isReading else { return }
        isReading = true
        burst = state.loop.now
    }

    /// All that had come was read; whether there is something to flush.
    func endRead() -> Bool {
        isReading = false
        burst = nil
        defer { needsFlush = false }
        return needsFlush
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        beginRead()
        switch unwrapInboundIn(data) {
        case .head(let head): begin(RequestHead(head), RequestHeaders(head.headers))
        case .body(let part): receive(part)
        case .end: endOfRequest()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if endRead() { context.flush() }
        context.fireChannelReadComplete()
    }

    /// A request begins.
    func begin(_ head: RequestHead, _ headers: RequestHeaders) {
        guard !isClosing else { return }
        // The decoder hands on what it has read, whether or not the answers are taken.
        if !isStream, reader?.isPlain == false, context?.channel.isWritable == false {
            isClosing = true
            context?.close(promise: nil)
            return
        }
        enter(.body)
        let exchange = Exchange(head: head, headers: headers, state: state, handler: self)
        self.exchange = exchange
        core.inFlight.add(1, ordering: .relaxed)
        admit(exchange)
    }

    /// Bytes a second that a body must come with, once the time for its next part has passed.
    private static let slowestBody = 1024

    /// A part of its body came.
    func receive(_ part: ByteBuffer) {
        bodyBytes &+= part.readableBytes
        guard !dropsBody, let exchange else { return }
        enter(.body)
        let limit = exchange.entry?.route.bodyLimit ?? 0
        if let raw { return raw.take(part, limit: limit) }
        let slowest = TimeAmount.seconds(Int64(exchange.body.readableBytes / Self.slowestBody))
        guard now - exchange.startedAt <= core.configuration.timeouts.body + slowest else {
            return answer(
                exchange,
                ErrorResponse(.requestTimeout, "request.timeout", "The body comes too slowly; send it faster."))
        }
        guard exchange.body.readableBytes + part.readableBytes <= limit else {
            return answer(exchange, .tooLarge(limit))
        }
        if exchange.body.readableBytes == 0 {
            exchange.body = part
        } else {
            exchange.body.writeImmutableBuffer(part)
        }
    }

    /// It is whole.
    func endOfRequest() {
        if dropsBody {
            dropsBody = false
            guard isClosing, !isStream else { return enter(.idle) }
            // The answer may still wait for the end of this read: it goes out before the connection does.
            needsFlush = false
            context?.flush()
            context?.close(promise: nil)
            return
        }
        guard let exchange else { return }
        exchange.isComplete = true
        enter(.answer)
        if let raw { return raw.takeEnd() }
        if exchange.isAuthorised { proceed(exchange) }
    }

    // MARK: Writing

    /// Writes a whole answer.
    func answer(_ exchange: Exchange, _ answer: Exchange.Answer) {
        guard let context, exchange === self.exchange else { return }
        let hasBody = answer.status.mayHaveResponseBody
        let closes = finish(exchange, status: answer.status, bytes: answer.body.readableBytes)
        if hasBody, !closes, let reader, reader.isPlain, exchange.head.method != .HEAD,
            let bytes = WholeResponses.bytes(answer, exchange)
        {
            reader.write(bytes, promise: nil)
            return end(exchange, closes: false, isWritten: true)
        }
        if hasBody, !closes, let whole, exchange.head.method != .HEAD, whole.take(answer, exchange) {
            // The pipelining handler wants to see a head before the end.
            context.write(wrapOutboundOut(.head(WholeResponses.placeholder)), promise: nil)
            return end(exchange, closes: false)
        }
        var headers = HTTPHeaders()
        headers.reserveCapacity(11 + answer.headers.count + exchange.extraHeaders.count)
        if hasBody {
            if !answer.contentType.isEmpty { headers.add(name: "content-type", value: answer.contentType) }
            headers.add(name: "content-length", value: String(answer.body.readableBytes))
        }
        headers.add(name: "x-request-id", value: exchange.requestID)
        core.fixedFields.add(to: &headers, unlessIn: answer.headers)
        for (name, value) in exchange.extraHeaders { headers.add(name: name, value: value) }
        for (name, value) in answer.headers { headers.add(name: name, value: value) }
        if closes, !isStream { headers.add(name: "connection", value: "close") }
        let head = HTTPResponseHead(version: exchange.head.version, status: answer.status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if hasBody, exchange.head.method != .HEAD, answer.body.readableBytes > 0 {
            context.write(wrapOutboundOut(.body(.byteBuffer(answer.body))), promise: nil)
        }
        end(exchange, closes: closes)
    }

    /// Writes an error.
    func answer(_ exchange: Exchange, _ error: ErrorResponse) {
        var body = ByteBuffer()
        error.write(into: &body, trace: exchange.traceID, correlation: exchange.requestID)
        var headers = error.headers
        if let seconds = error.retryAfter { headers.append(("retry-after", String(seconds))) }
        answer(
            exchange,
            Exchange.Answer(status: error.status, contentType: "application/json", body: body, headers: headers))
    }

    /// Writes the end, unless the answer is written as a whole, and leaves the request.
    func end(_ exchange: Exchange, closes: Bool, isWritten: Bool = false) {
        guard let context else { return }
        release(exchange)
        let closes = closes || reader?.isQuiescing == true
        dropsBody = !exchange.isComplete
        if closes { isClosing = true }
        enter(.idle)
        guard !isWritten || closes else {
            if isReading { needsFlush = true } else { reader?.flush() }
            reader?.goOn()
            return
        }
        let lingers = dropsBody
        let end = wrapOutboundOut(HTTPServerResponsePart.end(nil))
        if closes, !isStream, !lingers {
            let channel = context.channel
            context.writeAndFlush(end).whenComplete { _ in channel.close(promise: nil) }
            return
        }
        context.write(end, promise: nil)
        if isReading { needsFlush = true } else { context.flush() }
        guard closes, lingers else {
            reader?.goOn()
            return
        }
        let channel = context.channel
        // A client that still sends would lose the answer to a reset: let it finish, but not for long.
        context.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stream?.writabilityChanged(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    /// The client is gone.
    private func abandon(_ exchange: Exchange) {
        release(exchange)
        if exchange.call != .none { core.calls.cancel(exchange.call) }
    }

    func release(_ exchange: Exchange) {
        exchange.handler = nil
        raw?.stop()
        raw = nil
        exchange.opensStream = nil
        // While a call runs it may still commit: the key stays taken.
        if exchange.call == .none { exchange.claim = nil }
        exchange.place = nil
        if self.exchange === exchange {
            self.exchange = nil
            core.inFlight.subtract(1, ordering: .relaxed)
        }
    }
}
