// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import SwiftProtobuf
internal import Synchronization

extension Dispatcher {
    /// Calls a unary operation of a serving instance and waits. Cancelling the task cancels the call.
    ///
    /// - Parameters:
    ///   - instance: name in `plugins.d`.
    ///   - operation: `capability/Operation`.
    ///   - timeout: nil for the operation's default.
    public func call<Request: Message, Response: Message>(
        instance: String, operation: String, request: Request, context: CallContext = .system,
        timeout: Duration? = nil, idempotencyKey: String = ""
    ) async throws(CallError) -> Response {
        try await call(
            target(instance: instance, operation: operation), request: request, context: context, timeout: timeout,
            idempotencyKey: idempotencyKey)
    }

    /// Calls a unary operation and waits. Cancelling the task cancels the call.
    public func call<Request: Message, Response: Message>(
        _ target: CallTarget, request: Request, context: CallContext = .system, timeout: Duration? = nil,
        idempotencyKey: String = ""
    ) async throws(CallError) -> Response {
        let payload: MessageBytes
        do {
            payload = try request.serializedBytes()
        } catch {
            throw CallError(.invalidArgument, "call.malformed", "The request cannot be encoded: \(error).")
        }
        let bytes = try await call(
            target, payload: payload.array, context: context, timeout: timeout, idempotencyKey: idempotencyKey)
        do {
            return try Response(serializedBytes: MessageBytes(bytes))
        } catch {
            throw CallError(
                .internal, "plugin.malformed_result",
                "The answer is not a \(Response.protoMessageName).",
                effect: target.port.operations[Int(target.operation)].traits.sideEffect ? .applied : .none)
        }
    }

    /// Calls a unary operation with an encoded message and waits. Cancelling the task cancels the call.
    public func call(
        _ target: CallTarget, payload: [UInt8], context: CallContext = .system, timeout: Duration? = nil,
        idempotencyKey: String = ""
    ) async throws(CallError) -> [UInt8] {
        let wait = AwaitedCall(self)
        let deadline = timeout.map { clock.monotonic() &+ $0.nanoseconds } ?? 0
        let id = payload.withUnsafeBytes { bytes in
            var call = OutgoingCall(payload: bytes, context: context)
            call.deadline = deadline
            call.idempotencyKey = idempotencyKey
            return start(call, on: target, sink: wait)
        }
        if let result = wait.started(id) { return try result.get() }
        let result: Result<[UInt8], CallError> = await withTaskCancellationHandler {
            await withUnsafeContinuation { wait.wait($0) }
        } onCancel: {
            wait.cancel()
        }
        return try result.get()
    }
}

extension Duration {
    /// At least 0.
    fileprivate var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000).partialValue
            &+ UInt64(attoseconds / 1_000_000_000)
    }
}

/// A task that waits for a call; one that is answered at once never suspends.
private final class AwaitedCall: CallSink {
    private let dispatcher: Dispatcher
    private let state = Mutex(State())

    private struct State {
        // Unchecked: resumed by whoever takes it out under the lock, and a call completes exactly once, always.
        var continuation: UnsafeContinuation<Result<[UInt8], CallError>, Never>?
        var result: Result<[UInt8], CallError>?
        var id = CallID.none
    }

    init(_ dispatcher: Dispatcher) { self.dispatcher = dispatcher }

    /// The answer, if it came while the call was sent.
    func started(_ id: CallID) -> Result<[UInt8], CallError>? {
        state.withLock { state in
            state.id = id
            return state.result
        }
    }

    func wait(_ continuation: UnsafeContinuation<Result<[UInt8], CallError>, Never>) {
        let result = state.withLock { state in
            if state.result == nil { state.continuation = continuation }
            return state.result
        }
        if let result { continuation.resume(returning: result) }
    }

    func cancel() { dispatcher.cancel(state.withLock { $0.id }) }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        let outcome: Result<[UInt8], CallError> =
            if let error = result.error { .failure(error) } else { .success(Array(result.payload)) }
        let continuation = state.withLock { state in
            guard let continuation = state.continuation else {
                state.result = outcome
                return nil as UnsafeContinuation<Result<[UInt8], CallError>, Never>?
            }
            state.continuation = nil
            return continuation
        }
        continuation?.resume(returning: outcome)
    }
}
