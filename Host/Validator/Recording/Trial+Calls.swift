// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import SwiftProtobuf
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension Trial {
    /// How a call ended.
    enum Outcome: Equatable {
        case rejected(theatre_code)
        case completed(RecordingHost.Completion)
        /// Nothing came in time.
        case silent

        /// What two outcomes of one request have in common, whatever they hold.
        var kind: String {
            switch self {
            case .rejected(let code): "rejected \(code)"
            case .completed(let completion): "\(completion.code) \(completion.reason)"
            case .silent: "silence"
            }
        }
    }

    /// What goes with a call beside its payload.
    struct Options {
        var flags: UInt32 = 0
        /// Nanoseconds from now; 0 for none.
        var timeout: UInt64 = 0
        var key = ""
        var context: HostContext?
    }

    static let context = HostContext.with {
        $0.tenant = "default"
        $0.principal = "usr_validator"
        $0.principalKind = .user
        $0.caller = "validator"
        $0.requestID = "req_validator"
    }

    /// Sends a call and does not wait; nil where `invoke` took it, else the code it was rejected with.
    func invoke(_ index: Int, _ payload: [UInt8], _ options: Options = Options()) throws -> (theatre_id, theatre_code) {
        let id = host.newID()
        let description = subject.operations.first { $0.index == index }?.description
        host.monitor.withLock { state in
            state.served[id] = RecordingHost.Served(operation: min(index, subject.manifest.operations.count - 1))
            state.live.insert(id)
        }
        var lender = Lender(host.shape, revokes: host.revokes)
        var request = theatre_request()
        request.operation = UInt32(index)
        request.call = id
        // What streams in comes by chunks alone, as from the host.
        request.payload = lender.bytes(description?.isClientStreaming == true ? [] : payload)
        request.attempt = 1
        request.flags = options.flags | (description.map(Self.flags) ?? 0)
        if options.timeout > 0 { request.deadline_ns = host.now(THEATRE_CLOCK_MONOTONIC) + options.timeout }
        request.idempotency_key = lender.bytes(Array(options.key.utf8))
        var context: [UInt8] = try (options.context ?? Self.context).serializedBytes()
        if host.shape == .longer { context += [0xA0, 0x38, 0x01] }
        request.context = lender.bytes(context)
        let lent = lender.structure(request)
        guard let instance = host.instance, let invoke = instance.pointee.invoke else { return (id, THEATRE_INTERNAL) }
        let code = invoke(instance.pointee.`self`, lent)
        lender.giveBack()
        if code != THEATRE_OK {
            host.monitor.withLock { state in
                state.live.remove(id)
                if state.served[id]?.completions.isEmpty == false {
                    state.violations.append(
                        Finding("validator.completes_rejected", "A call was completed and rejected by invoke."))
                }
                state.served[id]?.isRejected = true
            }
        } else if description?.isClientStreaming == true {
            stream(id, payload)
        }
        return (id, code)
    }

    private static func flags(_ operation: OperationDescription) -> UInt32 {
        (operation.isClientStreaming ? THEATRE_CALL_STREAM_IN : 0)
            | (operation.isServerStreaming ? THEATRE_CALL_STREAM_OUT : 0)
            | (operation.sideEffect ? THEATRE_CALL_SIDE_EFFECT : 0)
    }

    /// The one message of a stream towards the plugin, and its end.
    private func stream(_ id: theatre_id, _ payload: [UInt8]) {
        guard let instance = host.instance, let send = instance.pointee.send else { return }
        for (sequence, (data, flags)) in [(payload, 0), ([], THEATRE_CHUNK_END)].enumerated() {
            var lender = Lender(host.shape, revokes: host.revokes)
            var chunk = theatre_chunk()
            chunk.seq = UInt64(sequence)
            chunk.flags = flags
            chunk.data = lender.bytes(data)
            let lent = lender.structure(chunk)
            _ = send(instance.pointee.`self`, id, lent)
            lender.giveBack()
        }
    }

    /// Waits for the completion of a call.
    func outcome(_ id: theatre_id, milliseconds: Int = 5000) -> Outcome {
        let completion = host.monitor.wait(milliseconds: milliseconds) { $0.served[id]?.completions.first }
        return completion.map(Outcome.completed) ?? .silent
    }

    /// Sends a call and waits; where nothing comes in time, the deadline passes as in the real host.
    func call(
        _ index: Int, _ payload: [UInt8], _ options: Options = Options(), milliseconds: Int = 5000
    ) throws -> Outcome {
        let (id, code) = try invoke(index, payload, options)
        guard code == THEATRE_OK else { return .rejected(code) }
        let found = outcome(id, milliseconds: milliseconds)
        guard found == .silent else { return found }
        giveUp(id, THEATRE_CANCEL_DEADLINE)
        return outcome(id, milliseconds: 15_000)
    }

    /// Tells the plugin that a call is no longer wanted and ends what it waits for on its behalf.
    func giveUp(_ id: theatre_id, _ reason: UInt32) {
        host.monitor.withLock { _ = $0.live.remove(id) }
        if let instance = host.instance { instance.pointee.cancel?(instance.pointee.`self`, id, reason) }
        let open = host.monitor.withLock { state in
            state.made.values.filter { $0.onBehalfOf == id && !$0.isAnswered }.map(\.id)
        }
        for call in open {
            Responding(host).fail(call, THEATRE_DEADLINE_EXCEEDED, "call.deadline", THEATRE_EFFECT_UNKNOWN)
        }
    }

    /// A sound request for an operation.
    func request(_ operation: Subject.Operation, _ purpose: String = "") -> [UInt8] {
        var generator = MessageGenerator(subject.catalog, subject.numbers(operation.name + purpose))
        return generator.message(operation.description.input)
    }
}
