// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime
internal import SwiftProtobuf

/// Typed calls over ``UnaryCalling``.
struct UnaryCaller: Sendable {
    /// What carries them.
    let calls: any UnaryCalling

    /// Starts a call; `then` comes exactly once, on any thread, possibly before this returns.
    ///
    /// - Returns: the call, or none where it was refused at once.
    @discardableResult
    func call<Request: Message, Response: Message>(
        _ instance: String, _ operation: String, _ request: Request, _ context: CallContext, deadline: UInt64 = 0,
        attempt: UInt32 = 1, _ then: @escaping @Sendable (Result<Response, CallError>) -> Void
    ) -> CallID {
        do throws(CallError) {
            let call = UnaryCall(
                instance: instance, operation: operation, payload: try encoded(request), context: context,
                deadline: deadline, attempt: attempt)
            return calls.call(call) { result in then(result.flatMap(Self.decoded)) }
        } catch {
            then(.failure(error))
            return .none
        }
    }

    private static func decoded<Response: Message>(_ bytes: [UInt8]) -> Result<Response, CallError> {
        do {
            return .success(try Response(serializedBytes: bytes))
        } catch {
            return .failure(
                CallError(
                    .internal, "host.bad_response", "A response does not decode as \(Response.protoMessageName).",
                    effect: .applied))
        }
    }
}
