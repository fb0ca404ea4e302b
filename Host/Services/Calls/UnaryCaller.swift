// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime
internal import SwiftProtobuf
internal import Synchronization

/// Calls operations of instances with one message each way, by callback.
struct UnaryCaller: Sendable {
    /// The dispatcher.
    let calls: any CallStarting

    /// Starts a call; `then` comes exactly once, on any thread, possibly before this returns.
    ///
    /// - Returns: the call, or none where it was refused at once.
    @discardableResult
    func call<Request: Message, Response: Message>(
        _ instance: String, _ operation: String, _ request: Request, _ context: CallContext, deadline: UInt64 = 0,
        attempt: UInt32 = 1, _ then: @escaping @Sendable (Result<Response, CallError>) -> Void
    ) -> CallID {
        do throws(CallError) {
            let target = try calls.target(instance: instance, operation: operation)
            let bytes = try encoded(request)
            let sink = UnarySink(then)
            return bytes.withUnsafeBytes { payload in
                var call = OutgoingCall(payload: payload, context: context)
                call.deadline = deadline
                call.attempt = attempt
                return calls.start(call, on: target, sink: sink)
            }
        } catch {
            then(.failure(error))
            return .none
        }
    }
}

/// Decodes one completion.
private final class UnarySink<Response: Message>: CallSink {
    private let then: @Sendable (Result<Response, CallError>) -> Void

    init(_ then: @escaping @Sendable (Result<Response, CallError>) -> Void) { self.then = then }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        if let error = result.error { return then(.failure(error)) }
        do {
            then(.success(try Response(serializedBytes: Array(result.payload))))
        } catch {
            then(
                .failure(
                    CallError(
                        .internal, "host.bad_response", "A response does not decode as \(Response.protoMessageName).",
                        effect: .applied)))
        }
    }
}
