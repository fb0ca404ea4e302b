// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Runtime
internal import Synchronization
internal import TheatreContracts

/// One call of a host, given to the library.
struct ServedRequest: Sendable {
    private let server: PluginServer
    private let operation: String
    private let traits: OperationTraits

    init(_ server: PluginServer, _ operation: String, _ traits: OperationTraits) {
        (self.server, self.operation, self.traits) = (server, operation, traits)
    }

    func run(_ stream: PluginServer.Stream, _ context: ServerContext) async throws {
        // The time that is left counts from here, not from when the request is whole.
        let arrival = Self.clock.monotonic()
        let inbound = InboundParts(stream.inbound)
        let call: Begun
        do throws(CallError) {
            call = try begin(try await inbound.read(isStream: traits.streamsIn), arrival)
        } catch {
            return try await finish(stream, error)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await context.cancellation.cancelled
                call.dispatcher.cancel(call.id)
            }
            if traits.streamsIn { group.addTask { try await self.pump(inbound, call) } }
            do {
                try await answer(stream, call)
            } catch {
                call.dispatcher.cancel(call.id)
                throw error
            }
            group.cancelAll()
        }
    }

    private struct Begun: Sendable {
        var id: CallID
        var dispatcher: Dispatcher
        var sink: ServingSink
    }

    private static let clock = SystemClock()

    /// When the call is to end; 0 for the operation's own time, where its caller sets none.
    private static func deadline(_ metadata: Metadata, _ arrival: UInt64) throws(CallError) -> UInt64 {
        switch CallMetadata.timeout(in: metadata) {
        case .none: return 0
        case .nanoseconds(let nanoseconds): return arrival + nanoseconds
        case .malformed(let text):
            throw CallError(
                .invalidArgument, "remote.bad_timeout",
                "The call's \(CallMetadata.timeout) is \(text.prefix(40).debugDescription), not one to eight digits and one of "
                    + "H, M, S, m, u, n.", detail: "/\(CallMetadata.timeout)")
        }
    }

    private func begin(_ received: InboundParts.Request, _ arrival: UInt64) throws(CallError) -> Begun {
        let deadline = try Self.deadline(received.metadata, arrival)
        guard let header = CallMetadata.header(in: received.metadata) else {
            throw CallError(
                .invalidArgument, "remote.no_header", "The call has no \(CallMetadata.header) that could be read.")
        }
        guard let instance = server.instance(header.session), let dispatcher = instance.dispatcher else {
            throw CallError(
                .unavailable, "remote.unknown_session", "The call's session is not open at this server.", retry: .safe)
        }
        let target = try dispatcher.target(instance: instance.name, operation: operation)
        let sink = ServingSink()
        let id = received.payload.withUnsafeBytes { bytes in
            var call = OutgoingCall(
                payload: bytes, context: CallContext(received: Array(header.context), origin: header.call))
            call.deadline = deadline
            call.attempt = max(1, header.attempt)
            call.idempotencyKey = header.idempotencyKey
            return dispatcher.start(call, on: target, sink: sink)
        }
        return Begun(id: id, dispatcher: dispatcher, sink: sink)
    }

    private func answer(_ stream: PluginServer.Stream, _ call: Begun) async throws {
        try await stream.outbound.write(.metadata([:]))
        for await event in call.sink.events {
            switch event {
            case .message(let bytes):
                try await stream.outbound.write(.message(GRPCNIOTransportBytes(bytes)))
                call.dispatcher.credit(call.id, bytes: UInt64(bytes.count))
            case .ended(.answered(let payload)):
                if !traits.streamsOut { try await stream.outbound.write(.message(GRPCNIOTransportBytes(payload))) }
                try await stream.outbound.write(.status(Status(code: .ok, message: ""), [:]))
                await stream.outbound.finish()
            case .ended(.failed(let error)): try await finish(stream, error)
            }
        }
    }

    private func finish(_ stream: PluginServer.Stream, _ error: CallError) async throws {
        let (status, trailers) = error.status
        try await stream.outbound.write(.status(status, trailers))
        await stream.outbound.finish()
    }

    /// Hands the caller's stream to the library as fast as that takes it.
    private func pump(_ inbound: InboundParts, _ call: Begun) async throws {
        while let message = try await inbound.message() { try await pass(message, call, end: false) }
        try await pass([], call, end: true)
    }

    private func pass(_ message: [UInt8], _ call: Begun, end: Bool) async throws {
        while true {
            let count = call.sink.gate.count
            guard !message.withUnsafeBytes({ call.dispatcher.send(call.id, $0, end: end) }) else { return }
            guard !call.sink.isEnded else { return }
            try await call.sink.gate.wait(after: count)
        }
    }
}

/// What the library answers, for whoever writes it to the stream. What waits in it is bounded by the credit.
final class ServingSink: CallSink {
    let events: AsyncStream<Event>
    let gate = CreditGate()
    private let continuation: AsyncStream<Event>.Continuation
    private let ended = Atomic(false)

    enum Event: Sendable {
        case message([UInt8])
        case ended(Ending)
    }

    init() { (events, continuation) = AsyncStream.makeStream() }

    var isEnded: Bool { ended.load(ordering: .acquiring) }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        let ending: Ending = result.error.map { .failed($0) } ?? .answered(Array(result.payload))
        ended.store(true, ordering: .releasing)
        continuation.yield(.ended(ending))
        continuation.finish()
        gate.open()
    }

    func receive(_ call: CallID, _ message: UnsafeRawBufferPointer, end: Bool) {
        if !(end && message.isEmpty) { continuation.yield(.message(Array(message))) }
    }

    func credit(_ call: CallID, bytes: UInt64) { gate.open() }
}

/// The parts of a request, read by one task at a time.
final class InboundParts: @unchecked Sendable {
    // Read by the task that begins the call, and then by the one that pumps its stream; never by both.
    private var iterator: HTTP2ServerTransport.Posix.Inbound.AsyncIterator

    struct Request: Sendable {
        var metadata = Metadata()
        var payload: [UInt8] = []
    }

    init(_ inbound: HTTP2ServerTransport.Posix.Inbound) { iterator = inbound.makeAsyncIterator() }

    /// Metadata, and the one message where the request is no stream.
    func read(isStream: Bool) async throws(CallError) -> Request {
        do {
            guard case .metadata(let metadata)? = try await iterator.next() else { throw Self.incomplete }
            guard !isStream else { return Request(metadata: metadata) }
            guard let payload = try await message() else { throw Self.incomplete }
            // Answered before its end, a request's stream would be closed twice by the client's side of the library.
            guard try await message() == nil else { throw Self.excessive }
            return Request(metadata: metadata, payload: payload)
        } catch let error as CallError {
            throw error
        } catch {
            throw Self.incomplete
        }
    }

    private static let incomplete = CallError(
        .invalidArgument, "remote.incomplete", "The call ended before its request was whole.")

    private static let excessive = CallError(
        .invalidArgument, "remote.excessive", "The call sent more than one message, and its request is one.")

    /// The next message; nil after the last.
    func message() async throws -> [UInt8]? {
        while let part = try await iterator.next() {
            if case .message(let bytes) = part { return bytes.withUnsafeBytes { Array($0) } }
        }
        return nil
    }
}
