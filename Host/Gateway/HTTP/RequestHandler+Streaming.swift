// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Runtime
internal import TheatreManifest

/// Requests and answers that pass through without being held whole.
extension RequestHandler {
    /// Starts the call as soon as the head is authorised; the body follows as it comes.
    func openStreamed(_ exchange: Exchange, _ entry: RouteEntry) {
        let head: [UInt8]
        let context: CallContext
        let target: CallTarget
        do throws(CallError) {
            let path = try parameters(exchange, entry)
            guard let query = PercentDecoding.query(exchange.query) else {
                throw CallError(.invalidArgument, "request.query", "the query is not well-formed; percent-encode it")
            }
            context = makeContext(exchange, entry, path)
            let early = exchange.body
            exchange.body = ByteBuffer()
            head = try RawCodec.request(exchange, entry, path: path, query: query)
            exchange.body = early
            target = try entry.target()
        } catch {
            return answer(exchange, ErrorResponse(error, module: entry.instance))
        }
        exchange.context = context
        let streamed = StreamedExchange(self, exchange, entry)
        exchange.streamed = streamed
        streamed.start(head, context, on: target)
        let early = exchange.body
        exchange.body = ByteBuffer()
        if early.readableBytes > 0 { streamed.receive(early) }
        if exchange.isComplete { streamed.endOfRequest() }
    }

    /// Whether bytes are read from the connection. While they are not, no time-out runs for the body.
    func setReading(_ isReading: Bool) {
        guard let context, context.channel.isActive else { return }
        do {
            try context.channel.syncOptions?.setOption(.autoRead, value: isReading)
        } catch {
            core.log.debug("reading cannot be held back", metadata: ["error": "\(error)"])
        }
        if let exchange, !exchange.isComplete { enter(isReading ? .body : .answer) }
        if isReading { context.read() }
    }

    /// Writes the head of an answer whose body follows in parts.
    func startStreamed(_ exchange: Exchange, _ answer: Exchange.Answer, length: Int?) {
        guard let context, exchange === self.exchange else { return }
        let closes = finish(exchange, status: answer.status, bytes: length ?? 0)
        var headers = HTTPHeaders()
        if answer.status.mayHaveResponseBody {
            if !answer.contentType.isEmpty { headers.add(name: "content-type", value: answer.contentType) }
            if let length { headers.add(name: "content-length", value: String(length)) }
        }
        headers.add(name: "x-request-id", value: exchange.requestID)
        for (name, value) in exchange.extraHeaders { headers.add(name: name, value: value) }
        for (name, value) in answer.headers { headers.add(name: name, value: value) }
        if closes, !isStream { headers.add(name: "connection", value: "close") }
        exchange.closesAfter = closes
        let head = HTTPResponseHead(version: exchange.head.version, status: answer.status, headers: headers)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    }

    /// Writes a part of the body; `written` is called on the loop once the socket has it, and not where it never does.
    func writePart(_ part: ByteBuffer, written: @escaping () -> Void) {
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(part)))).assumeIsolated().whenSuccess(written)
    }

    /// The answer is whole.
    func endStreamed(_ exchange: Exchange) {
        guard exchange === self.exchange else { return }
        end(exchange, closes: exchange.closesAfter)
    }

    /// Ends a connection in the middle of an answer: what the client has must not look whole.
    func breakOff(_ exchange: Exchange) {
        guard exchange === self.exchange else { return }
        exchange.streamed?.over()
        context?.close(promise: nil)
    }
}
