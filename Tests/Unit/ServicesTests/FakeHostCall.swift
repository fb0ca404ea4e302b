// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Runtime
import SwiftProtobuf
import Synchronization
import TheatreContracts

/// A plugin's call to a host service, answered into memory.
final class FakeHostCall: HostCall {
    enum Answer {
        case message([UInt8])
        case failure(CallError)
    }

    private struct State {
        var answer: Answer?
        var waiting: CheckedContinuation<Answer, Never>?
        var onCancel: (@Sendable () -> Void)?
        var onCredit: (@Sendable () -> Void)?
        var credit: Int
        var sent: [[UInt8]] = []
        var whenSent: (count: Int, then: CheckedContinuation<Void, Never>)?
    }

    let instance: InstanceIdentity
    let context: CallContext
    let payload: [UInt8]
    let deadline: UInt64
    private let state: Mutex<State>

    init(
        _ request: some Message, grants: ResolvedGrants = ResolvedGrants(), instance: String = "orders",
        deadline: UInt64 = 0, tenant: String = "default", traceparent: String = "", credit: Int = .max
    ) throws {
        self.instance = InstanceIdentity(instance: instance, plugin: "Orders", generation: 1, grants: grants)
        context = CallContext(
            HostContext.with {
                $0.tenant = tenant
                $0.traceparent = traceparent
            })
        payload = try request.serializedBytes()
        self.deadline = deadline
        state = Mutex(State(credit: credit))
        (refusals, refuse) = AsyncStream.makeStream(of: Void.self)
    }

    var isWanted: Bool { true }
    var sent: [[UInt8]] { state.withLock { $0.sent } }
    /// One element each time a message found no credit; ends with the answer.
    let refusals: AsyncStream<Void>
    private let refuse: AsyncStream<Void>.Continuation

    func complete(_ payload: [UInt8]) { finish(.message(payload)) }
    func fail(_ error: CallError) { finish(.failure(error)) }

    private func finish(_ answer: Answer) {
        let waiting = state.withLock { state in
            precondition(state.answer == nil, "A call was answered twice.")
            state.answer = answer
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(returning: answer)
        refuse.finish()
    }

    func send(_ message: [UInt8], end: Bool) -> Bool {
        let (taken, then) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard state.credit >= message.count else { return (false, nil) }
            state.credit -= message.count
            state.sent.append(message)
            guard let wish = state.whenSent, state.sent.count >= wish.count else { return (true, nil) }
            state.whenSent = nil
            return (true, wish.then)
        }
        then?.resume()
        if !taken { refuse.yield() }
        return taken
    }

    func onCredit(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.onCredit = body } }
    func onCancel(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.onCancel = body } }

    func cancel() { state.withLock { $0.onCancel }?() }

    func give(_ bytes: Int) {
        let body = state.withLock { state in
            state.credit += bytes
            return state.onCredit
        }
        body?()
    }

    /// Waits until so many messages were sent.
    func messages(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                guard state.sent.count < count else { return true }
                state.whenSent = (count, continuation)
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    /// The answer, once it comes.
    func answer() async -> Answer {
        await withCheckedContinuation { continuation in
            let answer = state.withLock { state in
                if state.answer == nil { state.waiting = continuation }
                return state.answer
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    /// The answer as a message, or its error thrown.
    func response<Response: Message>(_ type: Response.Type) async throws -> Response {
        switch await answer() {
        case .message(let bytes): return try Response(serializedBytes: bytes)
        case .failure(let error): throw error
        }
    }

    /// The error; nil where it was answered.
    func error() async -> CallError? {
        if case .failure(let error) = await answer() { return error }
        return nil
    }
}
