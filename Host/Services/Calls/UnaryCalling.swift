// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime

/// Calls with one message each way, by callback: what the services use of the dispatcher.
protocol UnaryCalling: Sendable {
    /// Starts a call; `then` comes exactly once, on any thread, possibly before this returns.
    ///
    /// - Returns: the call, or none where it was refused at once.
    func call(_ call: UnaryCall, _ then: @escaping @Sendable (Result<[UInt8], CallError>) -> Void) -> CallID
    /// Gives a call up; its completion still comes. Harmless where it has come.
    func cancel(_ call: CallID)
    /// The generation that a call to an instance would reach now; 0 where it does not serve.
    func generation(of instance: String, _ operation: String) -> UInt32
}

extension UnaryCalling {
    func generation(of instance: String, _ operation: String) -> UInt32 { 0 }
}

/// A call to an instance.
struct UnaryCall: Sendable {
    /// Name in `plugins.d`.
    var instance: String
    /// `capability/Operation`.
    var operation: String
    /// One request message.
    var payload: [UInt8]
    /// What it carries.
    var context: CallContext
    /// Absolute, on the host's monotonic clock, in nanoseconds; 0 for the operation's default.
    var deadline: UInt64 = 0
    /// From 1.
    var attempt: UInt32 = 1
}

/// Calls through the dispatcher.
struct DispatchedCalls: UnaryCalling {
    let calls: any CallStarting

    func call(_ call: UnaryCall, _ then: @escaping @Sendable (Result<[UInt8], CallError>) -> Void) -> CallID {
        do throws(CallError) {
            // Looked up anew each time: a swap retires old targets.
            let target = try calls.target(instance: call.instance, operation: call.operation)
            let sink = UnarySink(then)
            return call.payload.withUnsafeBytes { payload in
                var outgoing = OutgoingCall(payload: payload, context: call.context)
                outgoing.deadline = call.deadline
                outgoing.attempt = call.attempt
                return calls.start(outgoing, on: target, sink: sink)
            }
        } catch {
            then(.failure(error))
            return .none
        }
    }

    func cancel(_ call: CallID) { calls.cancel(call) }

    func generation(of instance: String, _ operation: String) -> UInt32 {
        do throws(CallError) {
            return try calls.target(instance: instance, operation: operation).generation
        } catch {
            return 0
        }
    }
}

/// Copies one completion out.
private final class UnarySink: CallSink {
    private let then: @Sendable (Result<[UInt8], CallError>) -> Void

    init(_ then: @escaping @Sendable (Result<[UInt8], CallError>) -> Void) { self.then = then }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        then(result.error.map { .failure($0) } ?? .success(Array(result.payload)))
    }
}
