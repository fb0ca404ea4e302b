// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// A call that goes from candidate to candidate until one answers or an error may not be repeated; candidates that are down
/// are passed over.
///
/// Each attempt is a call of its own, with its own id and span; the outer call is the one the plugin knows. What a stream
/// brings is handed on as it comes, and once something was, nobody else is asked.
final class RoutedCall: CallResponder, CallSink {
    private let dispatcher: Dispatcher
    private let need: String
    private let candidates: [RouteCandidate]
    private let payload: [UInt8]
    private let key: [UInt8]
    private let callerField: [UInt8]
    private let anyEffect: Bool
    private let attributes: [UInt8]
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
        var admission = ProfileHealth.Admission.free
        var began: UInt64 = 0
        /// What the caller takes beyond what a stream begins with.
        var credit: UInt64 = 0
        var hasSent = false
        /// What a stream said so far that it used.
        var used: UsageCounts?
        var isCancelled = false
        /// Of candidates that were passed over, the shortest wait.
        var wait: UInt64?
        var notes: [String]
    }

    init(
        _ dispatcher: Dispatcher, need: String, candidates: [RouteCandidate], payload: [UInt8], key: [UInt8],
        callerField: [UInt8], anyEffect: Bool, skipped: String?, attributes: [UInt8] = []
    ) {
        self.attributes = attributes
        self.dispatcher = dispatcher
        self.need = need
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

    /// Sends the request to the next candidate that may be called, or ends with `last`.
    private func sendNext(after last: CallError?) {
        var last = last
        while true {
            let (index, isCancelled) = state.withLock { state in
                defer { state.next += 1 }
                return (state.next, state.isCancelled)
            }
            guard index < candidates.count, !isCancelled || last == nil else {
                return finish(.failure(last ?? nobody(isCancelled)))
            }
            let candidate = candidates[index]
            let admission = candidate.health?.admit(dispatcher.clock) ?? .free
            if case .refused(let wait, let why) = admission {
                pass(over: candidate, wait, why)
                continue
            }
            guard let error = send(candidate, admission) else { return }
            candidate.health?.ended(admission, error, after: 0, dispatcher.clock)
            note(candidate, error)
            guard mayFallBack(error, .nothing) else { return finish(.failure(error)) }
            last = error
        }
    }

    private func pass(over candidate: RouteCandidate, _ wait: UInt64, _ why: String) {
        state.withLock { state in
            state.wait = min(state.wait ?? .max, wait)
            state.notes.append("\(candidate.profile): \(why)")
        }
    }

    /// Why there is no error of a candidate's to end with.
    private func nobody(_ isCancelled: Bool) -> CallError {
        let (notes, wait) = state.withLock { ($0.notes.joined(separator: "; "), $0.wait) }
        guard let wait, !isCancelled else { return Dispatcher.expired(effect: .none) }
        return CallError(
            .unavailable, "route.down", "Nobody who could serve \(need) is up. \(notes).",
            retry: .after(milliseconds: wait / 1_000_000 + 1))
    }

    /// nil where the candidate has the call and ``complete(_:_:)`` comes.
    private func send(_ candidate: RouteCandidate, _ admission: ProfileHealth.Admission) -> CallError? {
        let began = dispatcher.clock.monotonic()
        let state = self.state.withLock { state in
            state.admission = admission
            state.began = began
            state.inner = 0
            state.used = nil
            return state
        }
        return payload.withUnsafeBytes { payload in
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
            let (isCancelled, credit) = self.state.withLock { current -> (Bool, UInt64) in
                // It may have ended while it was sent, and another be under way.
                guard current.next == state.next else { return (false, 0) }
                current.inner = id
                return (current.isCancelled, current.credit)
            }
            if credit > 0 { dispatcher.credit(CallID(rawValue: id), bytes: credit) }
            if isCancelled { dispatcher.cancel(CallID(rawValue: id)) }
            return nil
        } catch {
            return error
        }
    }

    private func note(_ candidate: RouteCandidate, _ error: CallError) {
        state.withLock { $0.notes.append("\(candidate.profile): \(error.code) \(error.reason)") }
    }

    /// Only what certainly changed nothing is sent elsewhere, and only what another might do better.
    private func mayFallBack(_ error: CallError, _ verdict: FaultJudge.Verdict) -> Bool {
        guard anyEffect || error.effect == .none else { return false }
        if case .failed = verdict { return true }
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
        let (state, hasSent) = self.state.withLock { ($0, $0.hasSent) }
        let error = result.error, candidate = candidates[state.next - 1]
        let nanoseconds = dispatcher.clock.monotonic() &- state.began
        let verdict = candidate.health?.ended(state.admission, error, after: nanoseconds, dispatcher.clock)
        if let metered = candidate.metered {
            let used = error == nil ? metered.usage(in: result.payload) ?? state.used : state.used
            metered.meter.record(
                MeteredCall(
                    profile: metered, context: state.context, attributes: attributes,
                    at: Int64(dispatcher.clock.wall() / 1_000_000), nanoseconds: nanoseconds, usage: used, error: error)
            )
        }
        guard let error else { return finish(.payload(result.payload)) }
        guard !hasSent, mayFallBack(error, verdict ?? .nothing) else { return finish(.failure(error)) }
        note(candidate, error)
        sendNext(after: error)
    }

    func receive(_ call: CallID, _ message: UnsafeRawBufferPointer, end: Bool) {
        let (outer, index) = state.withLock { state in
            state.hasSent = true
            return (state.outer, state.next - 1)
        }
        if let used = candidates[index].metered?.usage(in: message) { state.withLock { $0.used = used } }
        // The caller has as much credit as the callee was given, so only one that has ended takes nothing.
        if !dispatcher.sendOut(outer, message, end: end) { dispatcher.cancel(call) }
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

    /// So that sums cannot overflow.
    private static let mostCredit: UInt64 = 1 << 41

    func credited(_ bytes: UInt64) {
        let inner = state.withLock { state in
            state.credit = min(state.credit &+ bytes, Self.mostCredit)
            return state.inner
        }
        if inner != 0 { dispatcher.credit(CallID(rawValue: inner), bytes: bytes) }
    }
}
