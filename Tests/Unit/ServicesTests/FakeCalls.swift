// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import SwiftProtobuf
import Synchronization

@testable import Services

/// Instances that answer by closures, at once or when told.
final class FakeCalls: UnaryCalling {
    typealias Then = @Sendable (Result<[UInt8], CallError>) -> Void
    typealias Handler = @Sendable (UnaryCall, @escaping Then) -> Void
    /// As ``Handler``, with a question: whether the call has neither ended nor been given up.
    typealias LiveHandler = @Sendable (UnaryCall, @escaping @Sendable () -> Bool, @escaping Then) -> Void

    private struct State {
        var handlers: [String: LiveHandler] = [:]
        var next: UInt64 = 1
        var cancelled: Set<CallID> = []
        var onCancel: [CallID: Then] = [:]
        var generation: UInt32 = 1
    }

    private let state = Mutex(State())

    /// Serves `instance operation`.
    func serve<Request: Message, Response: Message>(
        _ instance: String, _ operation: String,
        _ body: @escaping @Sendable (Request, UnaryCall) throws -> Response?
    ) {
        handle(instance, operation) { call, then in
            do {
                guard let response = try body(Request(serializedBytes: call.payload), call) else { return }
                then(.success(try response.serializedBytes()))
            } catch let error as CallError {
                then(.failure(error))
            } catch {
                then(.failure(CallError(.internal, "test.failed", "\(error)")))
            }
        }
    }

    func handle(_ instance: String, _ operation: String, _ body: @escaping Handler) {
        handleLive(instance, operation) { call, _, then in body(call, then) }
    }

    func handleLive(_ instance: String, _ operation: String, _ body: @escaping LiveHandler) {
        state.withLock { $0.handlers["\(instance) \(operation)"] = body }
    }

    func call(_ call: UnaryCall, _ then: @escaping Then) -> CallID {
        let (handler, id) = state.withLock { state -> (LiveHandler?, CallID) in
            defer { state.next += 1 }
            let id = CallID(rawValue: state.next)
            state.onCancel[id] = then
            return (state.handlers["\(call.instance) \(call.operation)"], id)
        }
        guard let handler else {
            then(.failure(CallError(.notFound, "instance.unknown", "\(call.instance) \(call.operation) is not there.")))
            return .none
        }
        handler(call, { [self] in state.withLock { $0.onCancel[id] != nil } }) { [self] result in
            let isFirst = state.withLock { $0.onCancel.removeValue(forKey: id) != nil }
            if isFirst { then(result) }
        }
        return id
    }

    func generation(of instance: String, _ operation: String) -> UInt32 { state.withLock { $0.generation } }

    /// Every instance was replaced.
    func swap() { state.withLock { $0.generation += 1 } }

    func cancel(_ call: CallID) {
        let then = state.withLock { state in
            state.cancelled.insert(call)
            return state.onCancel.removeValue(forKey: call)
        }
        then?(.failure(CallError(.cancelled, "call.cancelled", "Given up.")))
    }
}

extension FakeCalls {
    /// Serves `instance operation` by hand.
    func hold(_ instance: String, _ operation: String, _ body: @escaping @Sendable ([UInt8], @escaping Then) -> Void) {
        handle(instance, operation) { call, then in body(call.payload, then) }
    }
}
