// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Runtime
internal import TheatreManifest

/// Requests whose bodies go to and from the plugin as they come.
extension RequestHandler {
    /// Calls the plugin as soon as the request may be served. The context's digest is that of the request without its
    /// body, and no answer is kept under an idempotency key: the plugin has the key.
    func openRaw(_ exchange: Exchange, _ entry: RouteEntry) {
        let early = exchange.body
        exchange.body = ByteBuffer()
        do throws(CallError) { try encode(exchange, entry) } catch {
            return answer(exchange, ErrorResponse(error, module: entry.instance))
        }
        let head = exchange.message
        exchange.message = []
        let stream = RawStream(self, exchange, entry)
        raw = stream
        stream.start(head)
        guard raw === stream else { return }
        if early.readableBytes > 0 { stream.take(early, limit: entry.route.bodyLimit) }
        if exchange.isComplete, raw === stream { stream.takeEnd() }
    }

    /// Pauses or goes on reading from the client.
    func setReading(_ reads: Bool) {
        guard let channel = context?.channel, channel.isActive else { return }
        let log = core.log
        channel.setOption(.autoRead, value: reads).whenFailure { error in
            log.debug("reading could not be switched", metadata: ["error": "\(error)"])
        }
    }

    /// Ends a connection in the middle of an answer: the client must not take what it has for the whole.
    func breakOff(_ exchange: Exchange, _ entry: RouteEntry, _ error: CallError?) {
        core.log.error(
            "answer broken off",
            metadata: [
                "request.id": "\(exchange.requestID)", "request.route": "\(entry.key)", "instance": "\(entry.instance)",
                "error.reason": "\(error?.reason ?? "request.too_large")", "error.message": "\(error?.message ?? "")",
            ])
        release(exchange)
        context?.close(promise: nil)
    }

    // MARK: Answers as they come

    /// Starts an answer of unknown length.
    ///
    /// - Returns: whether the connection closes after it.
    @discardableResult
    func startStream(
        _ exchange: Exchange, status: HTTPResponseStatus = .ok, headers: [(String, String)]
    ) -> Bool {
        guard let context else { return true }
        let closes = finish(exchange, status: status, bytes: 0)
        var fields = HTTPHeaders(headers)
        fields.add(name: "x-request-id", value: exchange.requestID)
        core.fixedFields.add(to: &fields, unlessIn: headers)
        for (name, value) in exchange.extraHeaders { fields.add(name: name, value: value) }
        if closes, !isStream { fields.add(name: "connection", value: "close") }
        let head = HTTPResponseHead(version: exchange.head.version, status: status, headers: fields)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
        return closes
    }

    /// Sends a part of an answer of unknown length.
    func sendPart(_ part: ByteBuffer, promise: EventLoopPromise<Void>? = nil) {
        guard let context else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(part))), promise: promise)
    }

    /// Lets the client send its body.
    func sendContinue(_ exchange: Exchange) {
        guard exchange.headers.expectsContinue, !exchange.isComplete, exchange.body.readableBytes == 0 else { return }
        let head = HTTPResponseHead(version: exchange.head.version, status: .continue)
        context?.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    }
}
