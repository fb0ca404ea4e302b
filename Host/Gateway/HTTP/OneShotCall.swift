// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime
internal import SwiftProtobuf

/// A unary call of the host's own, whose answer goes to a closure on any thread.
final class OneShotCall<Response: Message>: CallSink {
    private let completion: @Sendable (Result<Response, CallError>) -> Void

    private init(_ completion: @escaping @Sendable (Result<Response, CallError>) -> Void) {
        self.completion = completion
    }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        if let error = result.error { return completion(.failure(error)) }
        do {
            completion(.success(try Response(serializedBytes: Array(result.payload))))
        } catch {
            completion(.failure(CallError(.internal, "gateway.response", "the response is not readable: \(error)")))
        }
    }
}

extension OneShotCall {
    /// - Returns: the call, or nil where it was refused at once.
    @discardableResult
    static func start(
        _ calls: any CallStarting, _ instance: String, _ operation: String, _ request: some Message,
        context: CallContext = .system,
        completion: @escaping @Sendable (Result<Response, CallError>) -> Void
    ) -> CallID? {
        do {
            let target = try calls.target(instance: instance, operation: operation)
            let bytes: [UInt8] = try request.serializedBytes()
            return bytes.withUnsafeBytes { payload in
                calls.start(
                    OutgoingCall(payload: payload, context: context), on: target, sink: OneShotCall(completion))
            }
        } catch let error as CallError {
            completion(.failure(error))
        } catch {
            completion(.failure(CallError(.internal, "gateway.request", "the request cannot be encoded: \(error)")))
        }
        return nil
    }
}
