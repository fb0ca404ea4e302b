// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1
internal import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// A request of a route to theatre.http.v1.Handler/HandleStream: its body goes to the plugin as it comes, and the
/// plugin's answer to the client. Either side is read only as fast as the other takes it. Used on its event loop only.
final class RawStream {
    /// Bytes of body in one message.
    private static let chunk = 64 * 1024
    /// What the plugin may have on its way beyond the credit every call begins with.
    static let window: UInt64 = 192 * 1024

    private let handler: RequestHandler
    private let exchange: Exchange
    private let entry: RouteEntry
    /// Encoded parts that the plugin has no credit for yet.
    private var waiting: CircularBuffer<[UInt8]> = []
    private var total = 0
    private var isWhole = false
    private var endWasSent = false
    private var partWasSent = false
    private var isPaused = false
    private var isOver = false
    /// Set with the head of the answer.
    private var status: HTTPResponseStatus?
    private var closes = true
    /// Of the answer's body: what its head stated, and what has come.
    private var stated: Int?
    private var sent = 0
    private var patience: ClientPatience

    init(_ handler: RequestHandler, _ exchange: Exchange, _ entry: RouteEntry) {
        self.handler = handler
        self.exchange = exchange
        self.entry = entry
        patience = ClientPatience(loop: handler.state.loop, limit: handler.core.configuration.timeouts.answer)
    }

    private var calls: any CallStarting { handler.core.calls }

    // MARK: The request

    /// Calls the plugin with the encoded head of the request.
    func start(_ head: [UInt8]) {
        var part = WireBytes(capacity: head.count + 8)
        part.add(1, head)
        waiting.append(part.bytes)
        call()
    }

    private func call() {
        guard let context = exchange.context else { return }
        let target: CallTarget
        do throws(CallError) { target = try entry.target() } catch {
            return handler.answer(exchange, ErrorResponse(error, module: entry.instance))
        }
        exchange.attempts += 1
        var outgoing = OutgoingCall(payload: UnsafeRawBufferPointer(start: nil, count: 0), context: context)
        outgoing.attempt = exchange.attempts
        outgoing.timeout = entry.timeout
        if let key = exchange.headers.idempotencyKey { outgoing.idempotencyKey = key }
        exchange.call = calls.start(outgoing, on: target, sink: RawStreamSink(self, on: handler.state.loop))
        if exchange.call != .none { calls.credit(exchange.call, bytes: Self.window) }
        pump()
    }

    /// Bytes of the request's body came.
    func take(_ part: ByteBuffer, limit: Int) {
        total += part.readableBytes
        guard total <= limit else { return giveUp(.tooLarge(limit)) }
        var rest = part
        while let slice = rest.readSlice(length: min(Self.chunk, rest.readableBytes)), slice.readableBytes > 0 {
            var part = WireBytes(capacity: slice.readableBytes + 8)
            part.add(2, slice.readableBytesView)
            waiting.append(part.bytes)
        }
        pump()
    }

    /// The request's body is whole.
    func takeEnd() {
        isWhole = true
        pump()
    }

    /// Sends what the plugin takes, and reads on from the client only once nothing waits.
    func pump() {
        guard !isOver, exchange.call != .none else { return }
        while let next = waiting.first {
            guard next.withUnsafeBytes({ calls.send(exchange.call, $0, end: false) }) else { break }
            partWasSent = true
            waiting.removeFirst()
        }
        if waiting.isEmpty, isWhole, !endWasSent {
            endWasSent = calls.send(exchange.call, UnsafeRawBufferPointer(start: nil, count: 0), end: true)
        }
        if !isWhole { pause(!waiting.isEmpty) }
    }

    private func pause(_ pauses: Bool) {
        guard isPaused != pauses else { return }
        isPaused = pauses
        handler.setReading(!pauses)
        // While the plugin is what is slow, the client's time does not run.
        if !isWhole { handler.enter(pauses ? .answer : .body) }
    }

    // MARK: The answer

    /// A message of the plugin.
    func receive(_ message: [UInt8]) {
        guard !isOver else { return }
        do {
            switch try HTTPResponsePart(serializedBytes: message).part {
            case .head(let head)? where status == nil:
                try begin(head)
                calls.credit(exchange.call, bytes: UInt64(message.count))
            case .data(let data)? where status != nil:
                sent += data.count
                guard sent <= stated ?? .max else { throw Self.wrongLength }
                send(ByteBuffer(bytes: data), size: message.count)
            default: throw CallError(.internal, "gateway.part", "a part of the answer is empty or out of order")
            }
        } catch {
            let call = exchange.call
            completed(
                error as? CallError
                    ?? CallError(.internal, "gateway.response", "a part of the answer cannot be read: \(error)"))
            calls.cancel(call)
        }
    }

    private func begin(_ head: HTTPResponse) throws(CallError) {
        var head = head
        let length = try RawCodec.takeLength(&head)
        let answer = try RawCodec.answer(head)
        guard answer.body.readableBytes == 0 else {
            throw CallError(.internal, "gateway.part", "the head of a streamed answer has a body")
        }
        handler.auditRead(exchange, entry)
        var headers = answer.headers
        if !answer.contentType.isEmpty { headers.append(("content-type", answer.contentType)) }
        if let length { headers.append(("content-length", String(length))) }
        status = answer.status
        stated = exchange.head.method != .HEAD && answer.status.mayHaveResponseBody ? length : nil
        closes = handler.startStream(exchange, status: answer.status, headers: headers)
    }

    /// Lets the plugin send as much again once the socket has taken it; a client that takes nothing is given up.
    private func send(_ data: ByteBuffer, size: Int) {
        let call = exchange.call
        guard exchange.head.method != .HEAD, status?.mayHaveResponseBody == true, data.readableBytes > 0 else {
            return calls.credit(call, bytes: UInt64(size))
        }
        let calls = calls
        let bound = NIOLoopBound(self, eventLoop: handler.state.loop)
        var rest = data
        // In pieces, so that it shows when a slow client takes some of a long one.
        while let piece = rest.readSlice(length: min(Self.chunk, rest.readableBytes)), piece.readableBytes > 0 {
            let isLast = rest.readableBytes == 0
            let written = handler.state.loop.makePromise(of: Void.self)
            patience.wrote { bound.value.giveUpSlowClient() }
            written.futureResult.whenSuccess {
                bound.value.patience.taken { bound.value.giveUpSlowClient() }
                if isLast { calls.credit(call, bytes: UInt64(size)) }
            }
            handler.sendPart(piece, promise: written)
        }
    }

    private func giveUpSlowClient() {
        guard !isOver else { return }
        let call = exchange.call
        isOver = true
        exchange.call = .none
        handler.breakOff(
            exchange, entry,
            CallError(.deadlineExceeded, "request.slow_client", "the client took nothing of the answer for too long"))
        if call != .none { calls.cancel(call) }
    }

    /// The plugin is done, or failed.
    func completed(_ error: CallError?) {
        guard !isOver else { return }
        exchange.call = .none
        if let error, error.reason == "instance.retired", error.effect == .none {
            entry.forgetTarget()
            if exchange.attempts == 1, !partWasSent, status == nil { return call() }
        }
        isOver = true
        guard status == nil else {
            let error = error ?? (sent == stated ?? sent ? nil : Self.wrongLength)
            return error == nil ? handler.end(exchange, closes: closes) : handler.breakOff(exchange, entry, error)
        }
        let none = CallError(
            .internal, "gateway.response", "the plugin ended its answer before it began", effect: .applied)
        handler.report(exchange, entry, error ?? none)
    }

    private static var wrongLength: CallError {
        CallError(.internal, "gateway.part", "the answer is not as long as its head stated")
    }

    private func giveUp(_ error: ErrorResponse) {
        let call = exchange.call
        isOver = true
        exchange.call = .none
        if status == nil { handler.answer(exchange, error) } else { handler.breakOff(exchange, entry, nil) }
        if call != .none { calls.cancel(call) }
    }

    /// The request is over, or the client is gone: what the plugin still does for it is given up.
    func stop() {
        isOver = true
        patience.end()
        waiting.removeAll()
        pause(false)
        guard exchange.call != .none else { return }
        let call = exchange.call
        exchange.call = .none
        calls.cancel(call)
    }
}

/// Brings what comes of the call to the event loop, in its order.
private final class RawStreamSink: CallSink {
    private let loop: any EventLoop
    private let stream: NIOLoopBound<RawStream>

    init(_ stream: RawStream, on loop: any EventLoop) {
        self.loop = loop
        self.stream = NIOLoopBound(stream, eventLoop: loop)
    }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        let error = result.error
        loop.execute { [stream] in stream.value.completed(error) }
    }

    func receive(_ call: CallID, _ message: UnsafeRawBufferPointer, end: Bool) {
        guard !(end && message.isEmpty) else { return }
        let bytes = Array(message)
        loop.execute { [stream] in stream.value.receive(bytes) }
    }

    func credit(_ call: CallID, bytes: UInt64) { loop.execute { [stream] in stream.value.pump() } }
}
