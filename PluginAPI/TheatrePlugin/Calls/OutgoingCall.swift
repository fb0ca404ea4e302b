// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// A call this instance made: answered once, perhaps before `request` has returned its id.
final class OutgoingCall: Sendable {
    typealias Answer = Result<[UInt8], PluginError>

    private struct State {
        var answer: Answer?
        var waiter: UnsafeContinuation<[UInt8], any Error>?
    }

    /// The id once known, shared with the closures of the channels.
    final class Identity: Sendable {
        let connection: HostConnection
        let id = Atomic<UInt64>(0)

        init(_ connection: HostConnection) { self.connection = connection }

        func cancel() {
            let id = id.load(ordering: .acquiring)
            if id != 0 { connection.cancel(id) }
        }
    }

    let identity: Identity
    let inbound: InboundChannel?
    let outbound: OutboundChannel?
    private let state = Mutex(State())

    init(_ connection: HostConnection, inbound: Bool = false, outbound: Bool = false) {
        let identity = Identity(connection)
        self.identity = identity
        self.inbound =
            inbound
            ? InboundChannel(
                endsWithChunk: false, grant: { connection.grant(identity.id.load(ordering: .acquiring), $0) },
                abandoned: { identity.cancel() }) : nil
        self.outbound =
            outbound ? OutboundChannel { connection.send(identity.id.load(ordering: .acquiring), $0) } : nil
    }

    /// The answer, waited for. Cancelling the task gives up the call; the host still answers it.
    nonisolated(nonsending) func value() async throws -> [UInt8] {
        if let answer = state.withLock({ $0.answer }) { return try Self.open(answer) }
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { wait($0) }
        } onCancel: {
            identity.cancel()
        }
    }

    /// The host answered, on any thread. False where it had before.
    func answer(_ answer: Answer) -> Bool {
        let (isFirst, waiter) = state.withLock { state in
            guard state.answer == nil else { return (false, nil as UnsafeContinuation<[UInt8], any Error>?) }
            state.answer = answer
            defer { state.waiter = nil }
            return (true, state.waiter)
        }
        guard isFirst else { return false }
        if let waiter { Self.resume(waiter, answer) }
        inbound?.end(answer.map { _ in () }.mapError { $0 as any Error })
        switch answer {
        case .success: outbound?.close(PluginError(.cancelled, "plugin.stream_closed", "The call has ended."))
        case .failure(let error): outbound?.close(error)
        }
        return true
    }

    /// Gives up a call that nobody listens to any more.
    func cancelUnlessAnswered() {
        if state.withLock({ $0.answer == nil }) { identity.cancel() }
    }

    private func wait(_ continuation: UnsafeContinuation<[UInt8], any Error>) {
        let answer = state.withLock { state in
            if state.answer == nil { state.waiter = continuation }
            return state.answer
        }
        if let answer { Self.resume(continuation, answer) }
    }

    private static func resume(_ continuation: UnsafeContinuation<[UInt8], any Error>, _ answer: Answer) {
        switch answer {
        case .success(let bytes): continuation.resume(returning: bytes)
        case .failure(let error): continuation.resume(throwing: error)
        }
    }

    private static func open(_ answer: Answer) throws -> [UInt8] {
        switch answer {
        case .success(let bytes): return bytes
        case .failure(let error): throw error
        }
    }
}

/// Keeps a streaming call alive: when the last stream of it is dropped, the call is given up.
final class CallOwner: Sendable {
    private let call: OutgoingCall

    init(_ call: OutgoingCall) { self.call = call }

    func cancel() { call.cancelUnlessAnswered() }

    deinit { call.cancelUnlessAnswered() }
}
