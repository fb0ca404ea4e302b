// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import TheatreContracts
internal import Transcoding

/// Answers the calls that a plugin makes, on the recording host's own thread where it may not be inside `request`.
struct Responding {
    let host: RecordingHost

    init(_ host: RecordingHost) { self.host = host }

    /// A call was taken: answers it as decided.
    func begin(_ call: MadeCall, _ answer: Answer) {
        switch answer {
        case .refuse, .never: return
        case .inline(let payload) where call.operation?.isClientStreaming != true: finish(call, payload)
        case .reply(let payload), .inline(let payload):
            // A caller that streams is answered message by message.
            guard call.operation?.isClientStreaming != true else { return }
            later { finish(call, payload) }
        case .fail(let code, let reason, let effect, let retry):
            later { fail(call.id, code, reason, effect, retry: retry, now: true) }
        }
    }

    /// A chunk of a call that the plugin made.
    func received(_ id: theatre_id, _ chunk: theatre_chunk) -> theatre_code {
        let isEnd = chunk.flags & THEATRE_CHUNK_END != 0
        let size = chunk.data.size
        let state: (MadeCall, Upstream)? = host.monitor.withLock { state in
            guard var call = state.made[id], !call.isAnswered else { return nil }
            if chunk.seq != call.received || call.pluginEnded {
                state.violations.append(
                    Finding("validator.sequence", "Chunk \(chunk.seq) of a call of \(call.name) is out of order."))
            }
            call.received = chunk.seq + 1
            call.pluginEnded = call.pluginEnded || isEnd
            state.made[id] = call
            return (call, state.upstream)
        }
        guard let (call, upstream) = state else { return THEATRE_NOT_FOUND }
        let payload: [UInt8]
        switch upstream(call) {
        case .reply(let message), .inline(let message): payload = message
        case .refuse, .never, .fail: return THEATRE_OK
        }
        later {
            if size > 0 {
                credit(id, size)
                if call.operation?.isServerStreaming == true { send(id, payload, end: false) }
            }
            if isEnd { finish(call, call.operation?.isServerStreaming == true ? [] : payload) }
        }
        return THEATRE_OK
    }

    private func finish(_ call: MadeCall, _ payload: [UInt8]) {
        if call.operation?.isServerStreaming == true {
            if call.operation?.isClientStreaming != true { send(call.id, payload, end: false) }
            send(call.id, [], end: true)
            reply(call.id, THEATRE_OK, [])
        } else {
            reply(call.id, THEATRE_OK, payload)
        }
    }

    /// Lets the plugin send that much more.
    func credit(_ id: theatre_id, _ bytes: UInt64) {
        later {
            guard let instance = host.instance, !host.monitor.withLock({ $0.isDestroyed }) else { return }
            instance.pointee.credit?(instance.pointee.`self`, id, bytes)
        }
    }

    /// Ends a call that the plugin made with an error, once.
    func fail(
        _ id: theatre_id, _ code: theatre_code, _ reason: String, _ effect: UInt32,
        retry: UInt32 = THEATRE_RETRY_NEVER, now: Bool = false
    ) {
        guard now else { return later { fail(id, code, reason, effect, retry: retry, now: true) } }
        var lender = Lender(host.shape, revokes: host.revokes)
        var error = theatre_error()
        error.code = code
        error.effect = effect
        error.retry = retry
        error.reason = lender.bytes(Array(reason.utf8))
        error.message = lender.bytes(Array("The validator's host ended the call.".utf8))
        let lent = lender.structure(error)
        reply(id, code, [], error: UnsafePointer(lent))
        lender.giveBack()
    }

    private func reply(
        _ id: theatre_id, _ code: theatre_code, _ payload: [UInt8], error: UnsafePointer<theatre_error>? = nil
    ) {
        let isDue = host.monitor.withLock { state in
            guard state.made[id]?.isAnswered == false, !state.isDestroyed else { return false }
            state.made[id]?.isAnswered = true
            return true
        }
        guard isDue, let instance = host.instance, let reply = instance.pointee.reply else { return }
        var lender = Lender(host.shape, revokes: host.revokes)
        var result = theatre_result()
        result.code = code
        result.payload = lender.bytes(payload)
        result.error = error
        let lent = lender.structure(result)
        _ = reply(instance.pointee.`self`, id, lent)
        lender.giveBack()
    }

    private func send(_ id: theatre_id, _ payload: [UInt8], end: Bool) {
        let sequence: UInt64? = host.monitor.withLock { state in
            guard let call = state.made[id], !call.isAnswered, !state.isDestroyed else { return nil }
            state.made[id]?.sent += 1
            return call.sent
        }
        guard let sequence, let instance = host.instance, let send = instance.pointee.send else { return }
        var lender = Lender(host.shape, revokes: host.revokes)
        var chunk = theatre_chunk()
        chunk.seq = sequence
        chunk.flags = end ? THEATRE_CHUNK_END : 0
        chunk.data = lender.bytes(payload)
        let lent = lender.structure(chunk)
        _ = send(instance.pointee.`self`, id, lent)
        lender.giveBack()
    }

    private func later(_ work: @escaping @Sendable () -> Void) { host.responder.enqueue(work) }
}
