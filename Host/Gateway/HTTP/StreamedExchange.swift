// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Runtime
internal import TheatreManifest

/// A request whose bodies pass through as they come: to theatre.http.v1.Handler/HandleStream and back.
///
/// Neither side is held whole. What the plugin gives no credit for is not read from the socket; what the socket does
/// not take is not asked of the plugin. Everything is used on the event loop; what the call reports on other threads is
/// brought there, in order.
final class StreamedExchange: CallSink {
    /// What the plugin may have on its way beyond the credit every call begins with.
    private static let window: UInt64 = 192 * 1024
    /// Bytes of a message to the plugin.
    private static let piece = 64 * 1024

    private let loop: any EventLoop
    private let state: NIOLoopBoundBox<State>

    private struct State {
        let handler: RequestHandler
        let exchange: Exchange
        let entry: RouteEntry
        var call = CallID.none
        /// The request's parts that the plugin has not taken.
        var waiting = CircularBuffer<ByteBuffer>()
        var received = 0
        var hasEnd = false
        var isPaused = false
        var hasHead = false
        /// Of the answer: how many bytes its head stated and how many have come.
        var stated: Int?
        var sent = 0
        var isOver = false
    }

    init(_ handler: RequestHandler, _ exchange: Exchange, _ entry: RouteEntry) {
        loop = handler.state.loop
        state = NIOLoopBoundBox(State(handler: handler, exchange: exchange, entry: entry), eventLoop: loop)
    }

    // MARK: To the plugin

    /// Starts the call with the request's head.
    func start(_ head: [UInt8], _ context: CallContext, on target: CallTarget) {
        let (handler, exchange, entry) = (state.value.handler, state.value.exchange, state.value.entry)
        let calls = handler.core.calls
        var outgoing = OutgoingCall(payload: UnsafeRawBufferPointer(start: nil, count: 0), context: context)
        outgoing.timeout = entry.timeout
        let call = calls.start(outgoing, on: target, sink: self)
        guard call != .none else { return }
        state.value.call = call
        exchange.call = call
        var message = WireBytes(capacity: head.count + 8)
        message.add(1, head)
        _ = message.bytes.withUnsafeBytes { calls.send(call, $0, end: false) }
        calls.credit(call, bytes: Self.window)
    }

    /// A part of the request's body. Stops reading while the plugin takes no more.
    func receive(_ part: ByteBuffer) {
        guard !state.value.isOver else { return }
        state.value.received += part.readableBytes
        state.value.exchange.bytesIn = state.value.received
        let limit = state.value.entry.route.bodyLimit
        guard state.value.received <= limit else { return refuse(.tooLarge(limit)) }
        var rest = part
        while let piece = rest.readSlice(length: min(rest.readableBytes, Self.piece)), piece.readableBytes > 0 {
            state.value.waiting.append(piece)
        }
        drain()
    }

    /// The request is whole.
    func endOfRequest() {
        state.value.hasEnd = true
        drain()
    }

    private func drain() {
        guard !state.value.isOver, state.value.call != .none else { return }
        let (call, handler) = (state.value.call, state.value.handler)
        let calls = handler.core.calls
        while let part = state.value.waiting.first {
            var message = WireBytes(capacity: part.readableBytes + 8)
            message.add(2, part.readableBytesView)
            guard message.bytes.withUnsafeBytes({ calls.send(call, $0, end: false) }) else { break }
            state.value.waiting.removeFirst()
        }
        let isFull = !state.value.waiting.isEmpty
        if state.value.hasEnd, !isFull {
            state.value.hasEnd = false
            _ = calls.send(call, UnsafeRawBufferPointer(start: nil, count: 0), end: true)
        }
        guard isFull != state.value.isPaused else { return }
        state.value.isPaused = isFull
        // Last: more of the body may come before it returns.
        handler.setReading(!isFull)
    }

    func credit(_ call: CallID, bytes: UInt64) { loop.execute { self.drain() } }

    // MARK: From the plugin

    func receive(_ call: CallID, _ message: UnsafeRawBufferPointer, end: Bool) {
        guard !message.isEmpty else { return }
        let part: RawCodec.Part
        do {
            part = try RawCodec.part(message)
        } catch {
            let failure = error as? CallError
            loop.execute {
                self.fail(failure ?? CallError(.internal, "gateway.response", "the answer cannot be read"))
            }
            return
        }
        loop.execute { self.received(part, bytes: UInt64(message.count)) }
    }

    private func received(_ part: RawCodec.Part, bytes: UInt64) {
        guard !state.value.isOver else { return }
        let (handler, exchange) = (state.value.handler, state.value.exchange)
        switch part {
        case .head(let answer, let length):
            guard !state.value.hasHead else { return fail(Self.disorder) }
            state.value.hasHead = true
            let mayHaveBody = answer.status.mayHaveResponseBody && exchange.head.method != .HEAD
            state.value.stated = mayHaveBody ? length : nil
            handler.startStreamed(exchange, answer, length: length)
            credit(bytes)
        case .data(let data):
            guard state.value.hasHead else { return fail(Self.disorder) }
            state.value.sent += data.readableBytes
            guard state.value.sent <= state.value.stated ?? .max else { return fail(Self.disorder) }
            guard exchange.head.method != .HEAD else { return credit(bytes) }
            handler.writePart(data) { self.credit(bytes) }
        }
    }

    private func credit(_ bytes: UInt64) {
        guard !state.value.isOver else { return }
        state.value.handler.core.calls.credit(state.value.call, bytes: bytes)
    }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        let error = result.error
        loop.execute { self.completed(error) }
    }

    private func completed(_ error: CallError?) {
        guard !state.value.isOver else { return }
        state.value.call = .none
        let (handler, exchange, entry) = (state.value.handler, state.value.exchange, state.value.entry)
        exchange.call = .none
        if let error { return fail(error) }
        guard state.value.hasHead else { return fail(Self.disorder) }
        guard state.value.sent == state.value.stated ?? state.value.sent else { return fail(Self.disorder) }
        handler.auditRead(exchange, entry)
        handler.endStreamed(exchange)
    }

    // MARK: Ends

    private static var disorder: CallError {
        CallError(
            .internal, "gateway.response", "the answer does not begin with its head or is not as long as it states")
    }

    private func fail(_ error: CallError) {
        guard !state.value.isOver else { return }
        let (handler, exchange, entry) = (state.value.handler, state.value.exchange, state.value.entry)
        if error.reason == "instance.retired" { entry.forgetTarget() }
        guard state.value.hasHead else { return handler.failed(exchange, entry, error) }
        handler.core.log.warning(
            "answer broken off",
            metadata: [
                "request.id": "\(exchange.requestID)", "request.route": "\(entry.key)",
                "error.reason": "\(error.reason)",
            ])
        handler.breakOff(exchange)
    }

    /// Ends it before the plugin has: an error where none of the answer is out, else the connection's end.
    func refuse(_ error: ErrorResponse) {
        guard !state.value.isOver else { return }
        let (handler, exchange) = (state.value.handler, state.value.exchange)
        if state.value.hasHead { handler.breakOff(exchange) } else { handler.answer(exchange, error) }
    }

    /// The exchange has left the connection; the call, if it still runs, is given up.
    func over() {
        guard !state.value.isOver else { return }
        state.value.isOver = true
        state.value.waiting.removeAll()
        let (handler, call) = (state.value.handler, state.value.call)
        if call != .none { handler.core.calls.cancel(call) }
    }
}
