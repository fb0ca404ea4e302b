// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import SwiftProtobuf
import Synchronization

extension Dispatcher {
    /// Calls a unary operation as the host and blocks until it is answered: for the operator's thread only.
    func wait<Request: Message, Response: Message>(
        instance: String, operation: String, request: Request, context: CallContext = .system,
        timeout: Duration? = nil
    ) throws(CallError) -> Response {
        let target = try target(instance: instance, operation: operation)
        let sink = WaitingSink()
        do {
            let bytes: [UInt8] = try request.serializedBytes()
            _ = bytes.withUnsafeBytes { buffer in
                var call = OutgoingCall(payload: buffer, context: context)
                if let timeout { call.timeout = UInt64(timeout.components.seconds) * 1_000_000_000 }
                return start(call, on: target, sink: sink)
            }
            return try Response(serializedBytes: try sink.wait().get())
        } catch let error as CallError {
            throw error
        } catch {
            throw CallError(
                .internal, "host.malformed", "\(operation) answered what cannot be decoded.", effect: .applied)
        }
    }
}

private final class WaitingSink: CallSink {
    private let result = Mutex<Result<[UInt8], CallError>?>(nil)
    private let done = Latch()

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        let outcome: Result<[UInt8], CallError>
        if let error = result.error { outcome = .failure(error) } else { outcome = .success(Array(result.payload)) }
        self.result.withLock { $0 = outcome }
        done.open()
    }

    func wait() -> Result<[UInt8], CallError> {
        done.wait()
        return result.withLock { $0 } ?? .failure(CallError(.internal, "host.no_answer", "No answer came."))
    }
}
