// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// A unary call that goes from candidate to candidate until one answers or an error may not be repeated.
///
/// Each attempt is a call of its own, with its own id and span; the outer call is the one the plugin knows.
final class FallbackCall: CallResponder, CallSink {
    private let dispatcher: Dispatcher
    private let candidates: [RouteCandidate]
    private let payload: [UInt8]
    private let key: [UInt8]
    private let callerField: [UInt8]
    private let anyEffect: Bool
    private let state: Mutex<State>

    private struct State {
        var outer: UInt64 = 0
        var context = CallContext.system
        var deadline: UInt64 = 0
        var attempt: UInt32 = 1
        var depth: UInt32 = 1
        var trace = SpanIdentity()
        nonisolated(unsafe) var table: Unmanaged<DispatchTable>?
        var next = 0
        var inner: UInt64 = 0
        var isCancelled = false
        var notes: [String]
    }

    init(
        _ dispatcher: Dispatcher, candidates: [RouteCandidate], payload: [UInt8], key: [UInt8], callerField: [UInt8],
        anyEffect: Bool, skipped: String?
    ) {
        self.dispatcher = dispatcher
        self.candidates = candidates
        self.payload = payload
        self.key = key
        self.callerField = callerField
        self.anyEffect = anyEffect
        state = Mutex(State(notes: skipped.map { [$0] } ?? []))
    }

    func begin(
        id: UInt64, context: CallContext, deadline: UInt64, attempt: UInt32, trace: SpanIdentity, depth: UInt32,
        table: Unmanaged<DispatchTable>?
    ) {
        state.withLock { state in
            state.outer = id
            state.context = context
            state.deadline = deadline
            state.attempt = attempt
            state.trace = trace
            state.depth = depth
            state.table = table
        }
        sendNext(after: nil)
    }

    /// Sends the request to the next candidate, or ends with `last`.
    private func sendNext(after last: CallError?) {
        var last = last
        while true {
            let (state, index) = state.withLock { state in
                defer { state.next += 1 }
                return (state, state.next)
            }
            guard index < candidates.count, !state.isCancelled || last == nil else {
                return finish(.failure(last ?? Dispatcher.expired(effect: .none)))
            }
            guard let error = send(candidates[index], state) else { return }
            note(candidates[index], error)
            guard mayFallBack(error) else { return finish(.failure(error)) }
            last = error
        }
    }

    /// nil where the candidate has the call and ``complete(_:_:)`` comes.
    private func send(_ candidate: RouteCandidate, _ state: State) -> CallError? {
        payload.withUnsafeBytes { payload in
            key.withUnsafeBytes { key in
                let field = candidate.context.isEmpty ? callerField : candidate.context
                return field.withUnsafeBytes { field in send(candidate, state, payload, key, field) }
            }
        }
    }

    private func send(
        _ candidate: RouteCandidate, _ state: State, _ payload: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer,
        _ field: UnsafeRawBufferPointer
    ) -> CallError? {
        var launch = Launch(
            payload: payload, context: .passUnretained(state.context), deadline: state.deadline)
        launch.attempt = state.attempt
        launch.callerField = field
        launch.sink = self
        launch.depth = state.depth
        launch.trace = state.trace
        launch.table = state.table
        launch.note = state.notes.isEmpty ? nil : SpanNote(state.notes.joined(separator: "; "))
        do throws(CallError) {
            let id = try dispatcher.launch(launch, key: key, on: candidate.port.core, candidate.operation)
            let isCancelled = self.state.withLock { state in
                state.inner = id
                return state.isCancelled
            }
            if isCancelled { dispatcher.cancel(CallID(rawValue: id)) }
            return nil
        } catch {
            return error
        }
    }

    private func note(_ candidate: RouteCandidate, _ error: CallError) {
        state.withLock { $0.notes.append("\(candidate.profile): \(error.code) \(error.reason)") }
    }

    /// Only what certainly changed nothing is sent elsewhere.
    private func mayFallBack(_ error: CallError) -> Bool {
        guard anyEffect || error.effect == .none else { return false }
        switch error.code {
        case .unavailable, .resourceExhausted, .deadlineExceeded, .internal: return true
        default: return false
        }
    }

    private func finish(_ outcome: Outcome) {
        let id = state.withLock { $0.outer }
        guard let slot = dispatcher.table.slot(of: id) else { return }
        _ = dispatcher.finish(slot, id, outcome)
    }

    // MARK: CallSink

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        guard let error = result.error else { return finish(.payload(result.payload)) }
        let used = state.withLock { $0.next - 1 }
        guard mayFallBack(error) else { return finish(.failure(error)) }
        note(candidates[used], error)
        sendNext(after: error)
    }

    // MARK: CallResponder

    func cancelled(_ reason: UInt32) {
        let inner = state.withLock { state in
            state.isCancelled = true
            return state.inner
        }
        if inner != 0 { dispatcher.cancel(CallID(rawValue: inner)) }
    }

    func received(_ message: UnsafeRawBufferPointer, end: Bool) {}

    func credited() {}
}
