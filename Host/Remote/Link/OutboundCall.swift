// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Runtime
internal import Synchronization

/// One call of the host to an instance at its server, from the request to its one completion.
final class OutboundCall: Sendable {
    let id: UInt64
    private let method: MethodDescriptor
    private let metadata: Metadata
    private let payload: [UInt8]
    private let flags: UInt32
    private let gate = CreditGate()
    private let messages: AsyncStream<Outgoing>
    private let outgoing: AsyncStream<Outgoing>.Continuation
    private let state = Mutex(State())

    private struct State {
        var task: Task<Void, Never>?
        var isCancelled = false
        var isDone = false
        /// The request may have reached the server.
        var hasBegun = false
    }

    private enum Outgoing: Sendable {
        case message([UInt8])
        case end
    }

    init(id: UInt64, method: MethodDescriptor, metadata: Metadata, payload: [UInt8], flags: UInt32) {
        (self.id, self.method, self.metadata, self.payload, self.flags) = (id, method, metadata, payload, flags)
        (messages, outgoing) = AsyncStream.makeStream()
    }

    var hasSideEffect: Bool { flags & THEATRE_CALL_SIDE_EFFECT != 0 }
    private var streamsIn: Bool { flags & THEATRE_CALL_STREAM_IN != 0 }
    private var streamsOut: Bool { flags & THEATRE_CALL_STREAM_OUT != 0 }

    /// Begins it. `ended` is called once, with how it ended.
    func start(_ link: RemoteLink, host: HostTable) {
        let task = Bridge.start { [self] in
            let ending = await run(link, host)
            finish(ending, link, host)
        }
        let isLate = state.withLock { state in
            state.task = task
            return state.isCancelled
        }
        if isLate { task.cancel() }
    }

    /// The first ending counts.
    func finish(_ ending: Ending, _ link: RemoteLink, _ host: HostTable) {
        let (isFirst, task) = state.withLock { state in
            defer { state.isDone = true }
            return (!state.isDone, state.task)
        }
        guard isFirst else { return }
        outgoing.finish()
        host.complete(id, ending)
        // After the completion: the last call of a lost link ends the instance, which completes what is open then.
        link.forget(self)
        task?.cancel()
    }

    /// The answer is no longer wanted: the stream is reset.
    func cancel() {
        state.withLock { state in
            state.isCancelled = true
            return state.task
        }?.cancel()
    }

    /// A message of the caller's stream.
    func send(_ message: [UInt8], end: Bool) {
        if !(end && message.isEmpty) { outgoing.yield(.message(message)) }
        if end { outgoing.yield(.end) }
    }

    /// The caller takes more.
    func credited() { gate.open() }

    var hasBegunNow: Bool { state.withLock { $0.hasBegun } }

    /// How it ends where the server is lost.
    func loss(_ link: RemoteLink) -> Ending {
        .failed(Self.error(link, hasBegun: hasBegunNow, hasSideEffect: hasSideEffect))
    }

    // MARK: the call

    private func run(_ link: RemoteLink, _ host: HostTable) async -> Ending {
        var options = CallOptions.defaults
        options.waitForReady = false
        options.maxRequestMessageBytes = RemoteLink.messageLimit
        options.maxResponseMessageBytes = RemoteLink.messageLimit
        do {
            try await link.turns.take()
            defer { link.turns.give() }
            return try await link.transport.withStream(descriptor: method, options: options) { stream, _ in
                state.withLock { $0.hasBegun = true }
                return try await converse(stream, link, host)
            }
        } catch {
            return .failed(read(error, link))
        }
    }

    private typealias Stream = RPCStream<
        HTTP2ClientTransport.Posix.Inbound, HTTP2ClientTransport.Posix.Outbound
    >

    private func converse(_ stream: Stream, _ link: RemoteLink, _ host: HostTable) async throws -> Ending {
        try await stream.outbound.write(.metadata(metadata))
        guard streamsIn else {
            try await stream.outbound.write(.message(GRPCNIOTransportBytes(payload)))
            await stream.outbound.finish()
            return try await read(stream, link, host)
        }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.write(stream, host) }
            let ending = try await read(stream, link, host)
            group.cancelAll()
            return ending
        }
    }

    /// Writes what the caller sends; gives credit for what the connection took.
    private func write(_ stream: Stream, _ host: HostTable) async throws {
        if !payload.isEmpty { try await stream.outbound.write(.message(GRPCNIOTransportBytes(payload))) }
        for await message in messages {
            guard case .message(let bytes) = message else { break }
            try await stream.outbound.write(.message(GRPCNIOTransportBytes(bytes)))
            host.credit(id, UInt64(bytes.count))
        }
        await stream.outbound.finish()
    }

    private func read(_ stream: Stream, _ link: RemoteLink, _ host: HostTable) async throws -> Ending {
        var answer: [UInt8]?
        var seq: UInt64 = 0
        for try await part in stream.inbound {
            link.heard()
            switch part {
            case .metadata: continue
            case .message(let bytes):
                let message = bytes.withUnsafeBytes { Array($0) }
                if streamsOut {
                    try await pass(message, seq, host)
                    seq += 1
                } else if answer == nil {
                    answer = message
                } else {
                    return .failed(malformed("answered more than once"))
                }
            case .status(let status, let trailers):
                return end(status, trailers, answer, seq, host)
            }
        }
        return .failed(malformed("ended the call without a status"))
    }

    private func end(
        _ status: Status, _ trailers: Metadata, _ answer: [UInt8]?, _ seq: UInt64, _ host: HostTable
    ) -> Ending {
        guard status.code == .ok else { return .failed(read(status, trailers)) }
        if streamsOut {
            _ = host.send(id, [], seq: seq, end: true)
            return .answered([])
        }
        guard let answer else { return .failed(malformed("did not answer with a message")) }
        return .answered(answer)
    }

    /// Hands a message to the caller once it takes it.
    private func pass(_ message: [UInt8], _ seq: UInt64, _ host: HostTable) async throws {
        while true {
            let count = gate.count
            switch host.send(id, message, seq: seq, end: false) {
            case THEATRE_OK: return
            case THEATRE_RESOURCE_EXHAUSTED: try await gate.wait(after: count)
            default: throw CancellationError()
            }
        }
    }
}
