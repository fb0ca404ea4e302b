// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Glibc
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

/// A host over the bare C tables that keeps what a plugin does and asserts the rules of the interface.
///
/// Unchecked: the tables are written before the plugin sees them; all else is in the monitor.
final class RecordingHost: @unchecked Sendable {
    /// How a call that the host sent ended.
    struct Completion: Sendable, Hashable {
        var code: theatre_code = THEATRE_OK
        var payload: [UInt8] = []
        var effect: UInt32 = 0
        var retry: UInt32 = 0
        var reason = ""
        var message = ""
        var detail = ""
        var hasError = false
    }

    /// A call that the host sent.
    struct Served: Sendable {
        let operation: Int
        var completions: [Completion] = []
        /// `invoke` returned another code than OK.
        var isRejected = false
        var chunks: [[UInt8]] = []
        var received: UInt64 = 0
        var hasEnded = false
        /// Bytes the plugin may still send.
        var credit = Int64(THEATRE_STREAM_CREDIT)
    }

    struct Log: Sendable {
        let level: UInt32
        let message: String
        let fields: String
    }

    struct State {
        var nextID: theatre_id
        var served: [theatre_id: Served] = [:]
        var made: [theatre_id: MadeCall] = [:]
        /// Calls that were not even taken.
        var refused: [MadeCall] = []
        var logs: [Log] = []
        var violations: [Finding] = []
        var upstream: Upstream = Upstreams.empty
        /// `deactivate` has returned and nothing is under way: until `destroy` the instance has nothing to do.
        var isStill = false
        var isDestroyed = false

        /// A call towards the plugin or from it has not ended yet.
        var hasUnderWay: Bool {
            served.values.contains { $0.completions.isEmpty && !$0.isRejected }
                || made.values.contains { !$0.isAnswered }
        }
        /// Added to both clocks, in nanoseconds.
        var advance: UInt64 = 0
        var live: Set<theatre_id> = []
    }

    let subject: Subject
    let monitor: Monitor<State>
    let table: UnsafeMutablePointer<theatre_host>
    let responder = SerialThread()
    let shape: Shape
    let revokes: Bool
    /// Set once `create` has returned.
    nonisolated(unsafe) var instance: UnsafeMutablePointer<theatre_instance>?
    private let decoder: WireCheck

    /// - Parameter base: ids of this host's calls are above it, so that those of two hosts differ.
    init(_ subject: Subject, shape: Shape = .plain, revokes: Bool = false, base: theatre_id = 0x1_0000) {
        self.subject = subject
        self.shape = shape
        self.revokes = revokes
        decoder = WireCheck(subject.catalog)
        monitor = Monitor(State(nextID: base))
        var lender = Lender(shape)
        table = lender.structure(theatre_host())
        table.pointee.revision = shape == .longer ? 99 : THEATRE_ABI_REVISION
        table.pointee.ctx = Unmanaged.passRetained(self).toOpaque()
        HostFunctions.fill(table)
    }

    var violations: [Finding] { monitor.withLock { $0.violations } }

    /// Notes what breaks a rule.
    func violation(_ reason: String, _ message: String) {
        monitor.withLock { state in
            if state.violations.count < 100 { state.violations.append(Finding(reason, message)) }
        }
    }

    /// Forgets what was seen and lets go of the host's own memory. The plugin must not call any more.
    func retire() {
        monitor.withLock { state in
            state.served = [:]
            state.made = [:]
            state.refused = []
            state.logs = []
        }
        Unmanaged<RecordingHost>.fromOpaque(UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque())).release()
    }

    /// An id as the real host makes them: what tells a call of the plugin's from one that it serves is one bit.
    func newID(made isMade: Bool = false) -> theatre_id {
        monitor.withLock { state in
            state.nextID += 1
            return isMade ? state.nextID | 1 << 31 : state.nextID
        }
    }

    /// A function of the host was called: not after `destroy`, and not by an instance that was stopped and serves nothing.
    func isOpen(_ function: String) -> Bool {
        let (isDestroyed, isStill) = monitor.withLock { ($0.isDestroyed, $0.isStill) }
        guard isDestroyed else {
            if isStill {
                violation(
                    "validator.host_after_deactivate",
                    "\(function) of the host was called after deactivate had returned, with nothing under way.")
            }
            return true
        }
        violation("validator.host_after_destroy", "\(function) of the host was called after destroy had returned.")
        return false
    }

    // MARK: What plugins call

    func complete(_ id: theatre_id, _ result: UnsafePointer<theatre_result>?) -> theatre_code {
        guard isOpen("complete") else { return THEATRE_NOT_FOUND }
        guard let result, result.pointee.struct_size >= THEATRE_RESULT_SIZE_0 else {
            violation("validator.malformed_result", "A call was completed without a result of its full size.")
            finish(id, Completion(code: THEATRE_INTERNAL))
            return THEATRE_INVALID_ARGUMENT
        }
        let completion = CompletionReader(self).read(theatre_result(copying: result))
        let operation = monitor.withLock { $0.served[id]?.operation }
        guard let operation else {
            violation("validator.unknown_completion", "A call was completed that this host never sent.")
            return THEATRE_NOT_FOUND
        }
        if completion.code == THEATRE_OK { checkResponse(completion.payload, operation) }
        return finish(id, completion)
    }

    @discardableResult
    private func finish(_ id: theatre_id, _ completion: Completion) -> theatre_code {
        monitor.withLock { state in
            guard var call = state.served[id] else { return THEATRE_NOT_FOUND }
            let isFirst = call.completions.isEmpty && !call.isRejected
            call.completions.append(completion)
            state.served[id] = call
            state.live.remove(id)
            guard !isFirst else { return THEATRE_OK }
            let name = subject.manifest.operations[call.operation]
            state.violations.append(
                call.isRejected
                    ? Finding(
                        "validator.completes_rejected", "\(name) was rejected by invoke and completed all the same.")
                    : Finding("validator.completes_twice", "A call of \(name) was completed twice."))
            return THEATRE_NOT_FOUND
        }
    }

    private func checkResponse(_ payload: [UInt8], _ operation: Int) {
        let name = subject.manifest.operations[operation]
        guard let description = subject.catalog.operation(name), !description.isServerStreaming else { return }
        guard let fault = decoder.fault(payload, description.output) else { return }
        violation("validator.malformed_response", "The answer of \(name) is no \(description.output): \(fault).")
    }

    func request(
        _ request: UnsafePointer<theatre_request>?, _ id: UnsafeMutablePointer<theatre_id>?,
        _ error: UnsafeMutablePointer<theatre_error>?
    ) -> theatre_code {
        guard isOpen("request") else { return THEATRE_UNAVAILABLE }
        guard let request, let id, request.pointee.struct_size >= THEATRE_REQUEST_SIZE_0 else {
            violation("validator.malformed_request", "request was called without a request of its full size.")
            return THEATRE_INVALID_ARGUMENT
        }
        let value = theatre_request(copying: request)
        guard let (name, operation) = subject.called(Int(value.operation)) else {
            violation("validator.unknown_call", "Call \(value.operation) is not in the manifest's calls.")
            return THEATRE_UNIMPLEMENTED
        }
        checkRequest(value, name, operation)
        let call = MadeCall(
            id: newID(made: true), name: name, operation: operation, onBehalfOf: value.on_behalf_of,
            payload: value.payload.copy)
        let answer = monitor.withLock { $0.upstream }(call)
        if case .refuse(let code, let reason) = answer {
            monitor.withLock { state in
                if state.refused.count < 10_000 { state.refused.append(call) }
            }
            Refusal.fill(error, code, reason)
            return code
        }
        monitor.withLock { $0.made[call.id] = call }
        id.pointee = call.id
        Responding(self).begin(call, answer)
        return THEATRE_OK
    }

    private func checkRequest(_ value: theatre_request, _ name: String, _ operation: OperationDescription?) {
        if value.call != 0 {
            violation("validator.malformed_request", "\(name) was called with an id of its own instead of 0.")
        }
        let isKnown = value.on_behalf_of == 0 || monitor.withLock { $0.served[value.on_behalf_of] != nil }
        if !isKnown {
            violation("validator.unknown_parent", "\(name) was called on behalf of a call that this host never sent.")
        }
        guard let operation, !operation.isClientStreaming,
            let fault = decoder.fault(value.payload.copy, operation.input)
        else { return }
        violation("validator.malformed_request", "The request of \(name) is no \(operation.input): \(fault).")
    }

    func send(_ id: theatre_id, _ chunk: UnsafePointer<theatre_chunk>?) -> theatre_code {
        guard isOpen("send") else { return THEATRE_NOT_FOUND }
        guard let chunk, chunk.pointee.struct_size >= THEATRE_CHUNK_SIZE_0 else {
            violation("validator.malformed_chunk", "A chunk was sent without its full size.")
            return THEATRE_INVALID_ARGUMENT
        }
        let value = theatre_chunk(copying: chunk)
        if monitor.withLock({ $0.made[id] != nil }) { return Responding(self).received(id, value) }
        return receivedAnswer(id, value)
    }

    private func receivedAnswer(_ id: theatre_id, _ chunk: theatre_chunk) -> theatre_code {
        let data = chunk.data.copy
        let code: theatre_code? = monitor.withLock { state in
            guard var call = state.served[id] else { return nil }
            guard call.completions.isEmpty else { return THEATRE_NOT_FOUND }
            guard call.credit > 0 || data.isEmpty else { return THEATRE_RESOURCE_EXHAUSTED }
            let name = subject.manifest.operations[call.operation]
            if chunk.seq != call.received {
                state.violations.append(
                    Finding(
                        "validator.sequence",
                        "\(name) sent chunk \(chunk.seq) where \(call.received) was due."))
            }
            if call.hasEnded {
                state.violations.append(Finding("validator.sequence", "\(name) sent a chunk after the last."))
            }
            call.received = chunk.seq + 1
            call.credit -= Int64(data.count)
            if chunk.flags & THEATRE_CHUNK_END != 0 { call.hasEnded = true }
            if !data.isEmpty, call.chunks.count < 256 { call.chunks.append(data) }
            state.served[id] = call
            return THEATRE_OK
        }
        guard let code else {
            violation("validator.unknown_stream", "A chunk was sent for a call that this host never sent.")
            return THEATRE_NOT_FOUND
        }
        if code == THEATRE_OK, !data.isEmpty {
            Responding(self).credit(id, UInt64(data.count))
            monitor.withLock { $0.served[id]?.credit += Int64(data.count) }
        }
        return code
    }

    func cancel(_ id: theatre_id) {
        guard isOpen("cancel") else { return }
        let known = monitor.withLock { state in
            state.made[id]?.isCancelled = true
            return state.made[id] != nil
        }
        if known { Responding(self).fail(id, THEATRE_CANCELLED, "call.cancelled", THEATRE_EFFECT_UNKNOWN) }
    }

    func isLive(_ id: theatre_id) -> Bool {
        isOpen("is_live") && monitor.withLock { $0.live.contains(id) }
    }

    func now(_ kind: UInt32) -> UInt64 {
        guard isOpen("now") else { return 0 }
        if kind > THEATRE_CLOCK_WALL { violation("validator.unknown_clock", "now was asked for clock \(kind).") }
        var time = timespec()
        clock_gettime(kind == THEATRE_CLOCK_WALL ? CLOCK_REALTIME : CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec) + monitor.withLock { $0.advance }
    }

    func log(_ level: UInt32, _ message: theatre_bytes, _ fields: theatre_bytes) {
        guard isOpen("log") else { return }
        let line = Log(level: level, message: message.text, fields: fields.text)
        monitor.withLock { $0.logs.append(line) }
        if level > THEATRE_LOG_ERROR { violation("validator.malformed_log", "A line was logged at level \(level).") }
        guard message.isText, fields.isText, LogFields.areObject(line.fields) else {
            violation("validator.malformed_log", "The fields of \"\(line.message)\" are no JSON object.")
            return
        }
    }
}
