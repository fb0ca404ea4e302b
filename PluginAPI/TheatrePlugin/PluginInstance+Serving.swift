// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin

extension PluginInstance {
    /// Takes a call on: begins it here where the instance is `inline`, hands it to the instance's threads where it is not.
    func serve(_ request: theatre_request) {
        guard let keeper, !served.isDraining else { return refuse(request.call, Self.draining) }
        if runsInline, answerAtOnce(request) { return }
        // Both live as long as this; to count them would be felt by the threads that serve.
        let record = Unmanaged.passUnretained(connection.records)._withUnsafeGuaranteedRef {
            $0.record(keeper, request)
        }
        announce(record)
        if runsInline {
            Self.begin(record)
        } else {
            // Made where it is served: what is allocated on one thread and freed on another costs both.
            Unmanaged.passUnretained(executor)._withUnsafeGuaranteedRef { $0.enqueue(record) }
        }
    }

    /// Makes what the host may refer to before the call is begun: its streams.
    private func announce(_ record: RecordPointer) {
        let (inbound, outbound) = handlers[Int(record.pointee.operation)].streams
        guard inbound || outbound else { return }
        let call = ServedCall(record, inbound: inbound, outbound: outbound)
        record.pointee.served = .passRetained(call)
        if served.register(call) { call.cancel() }
    }

    /// Answers the call on this thread, where the operation has the answer at once; false where it has not, and the call
    /// is yet to be served.
    private func answerAtOnce(_ request: theatre_request) -> Bool {
        guard let promptly = handlers[Int(request.operation)].promptly else { return false }
        do {
            guard let payload = try promptly(PromptCall(request)) else { return false }
            answer(request.call, payload)
        } catch {
            let hasSideEffect = request.flags & THEATRE_CALL_SIDE_EFFECT != 0
            refuse(request.call, PluginError(any: error, sideEffect: hasSideEffect))
        }
        return true
    }

    /// Serves a call with a runner that waits, or another, on this thread until it waits.
    static func begin(_ record: RecordPointer) {
        let call: ServedCall
        let runner: CallRunner?
        if let announced = takeAnnounced(record) {
            call = announced
            runner = call.instance._withUnsafeGuaranteedRef { $0.served.runner(for: call.id) }
        } else {
            call = ServedCall(record)
            let isCancelled: Bool
            (isCancelled, runner) = call.instance._withUnsafeGuaranteedRef { $0.served.begin(call) }
            if isCancelled { call.cancel() }
        }
        (runner ?? call.instance._withUnsafeGuaranteedRef { CallRunner($0) }).serve(call)
    }

    /// The call of a record, from now on to be found by its id.
    static func register(_ record: RecordPointer) -> ServedCall {
        if let announced = takeAnnounced(record) { return announced }
        let call = ServedCall(record)
        if call.instance._withUnsafeGuaranteedRef({ $0.served.register(call) }) { call.cancel() }
        return call
    }

    private static func takeAnnounced(_ record: RecordPointer) -> ServedCall? {
        defer { record.pointee.served = nil }
        return record.pointee.served?.takeRetainedValue()
    }

    // MARK: Answers

    /// Answers a call: exactly once, by who serves it.
    func succeed(_ call: ServedCall, _ payload: [UInt8]) {
        forget(call)
        answer(call.id, payload)
    }

    func fail(_ call: ServedCall, _ error: any Error) {
        forget(call)
        refuse(call.id, PluginError(any: error, sideEffect: call.hasSideEffect))
    }

    private func answer(_ id: theatre_id, _ payload: [UInt8]) {
        payload.withUnsafeBytes { buffer in
            var result = theatre_result.sized
            result.payload = theatre_bytes(buffer)
            connection.complete(id, &result)
        }
    }

    func refuse(_ id: theatre_id, _ error: PluginError) {
        error.withSeam { seam in
            var result = theatre_result.sized
            result.code = error.code.rawValue
            result.error = seam
            connection.complete(id, &result)
        }
    }

    private func forget(_ call: ServedCall) {
        served.forget(call.id)
        call.done()
    }

    private static let draining = PluginError(
        .unavailable, "plugin.draining", "The instance is being stopped and takes no new calls.", retry: .safe)
}

extension ServedCall {
    /// A call that nobody waits for any more is not begun.
    func checkStart() throws {
        if isCancelled { throw PluginError(.cancelled, "plugin.cancelled", "The call was cancelled before it began.") }
    }

    func succeed(_ payload: [UInt8]) { instance._withUnsafeGuaranteedRef { $0.succeed(self, payload) } }

    func fail(_ error: any Error) { instance._withUnsafeGuaranteedRef { $0.fail(self, error) } }
}
