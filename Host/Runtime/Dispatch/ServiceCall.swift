// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// A plugin's call to a host service.
final class ServiceCall: HostCall, CallResponder {
    let instance: InstanceIdentity
    let context: CallContext
    let payload: [UInt8]
    let idempotencyKey: String
    let attempt: UInt32
    let attributes: [UInt8]
    private let dispatcher: Dispatcher
    private let state = Mutex(State())
    private let number = Atomic<UInt64>(0)
    private let limit = Atomic<UInt64>(0)

    private struct State {
        var isCancelled = false
        var onCancel: (@Sendable () -> Void)?
        var onCredit: (@Sendable () -> Void)?
        var onMessage: (@Sendable ([UInt8], Bool) -> Void)?
        /// Came before anybody asked for them; no more than the credit a stream begins with.
        var early: [([UInt8], Bool)] = []
    }

    init(
        _ dispatcher: Dispatcher, _ instance: InstanceIdentity, _ context: CallContext, _ launch: borrowing Launch,
        attributes: UnsafeRawBufferPointer
    ) {
        payload = Array(launch.payload)
        idempotencyKey = String(decoding: launch.key, as: UTF8.self)
        attempt = launch.attempt
        self.attributes = Array(attributes)
        self.dispatcher = dispatcher
        self.instance = instance
        self.context = context
    }

    /// Before the service sees it.
    func begin(_ id: UInt64, deadline: UInt64) {
        limit.store(deadline, ordering: .relaxed)
        number.store(id, ordering: .releasing)
    }

    private var id: UInt64 { number.load(ordering: .acquiring) }
    var deadline: UInt64 { limit.load(ordering: .relaxed) }
    var isWanted: Bool { dispatcher.isWanted(id) }

    func complete(_ payload: [UInt8]) {
        payload.withUnsafeBytes { bytes in
            let limit = dispatcher.limits.serviceAnswerSize
            guard bytes.count > limit else { return finish(.payload(bytes)) }
            let hasEffect = dispatcher.table.slot(of: id).map { $0.pointee.flags & THEATRE_CALL_SIDE_EFFECT != 0 }
            finish(
                .failure(
                    CallError(
                        .internal, "host.answer_too_large",
                        "The host's answer has \(bytes.count) bytes; \(limit) are allowed.",
                        effect: hasEffect == true ? .applied : .none)))
        }
    }

    func fail(_ error: CallError) { finish(.failure(error)) }

    private func finish(_ outcome: Outcome) {
        state.withLock { state in
            state.onCancel = nil
            state.onCredit = nil
            state.onMessage = nil
        }
        guard let slot = dispatcher.table.slot(of: id) else { return }
        _ = dispatcher.finish(slot, id, outcome)
    }

    func send(_ message: [UInt8], end: Bool) -> Bool {
        message.withUnsafeBytes { dispatcher.sendOut(id, $0, end: end) }
    }

    func onCredit(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.onCredit = body } }

    func onCancel(_ body: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            if !state.isCancelled { state.onCancel = body }
            return state.isCancelled
        }
        if isLate { body() }
    }

    func onMessage(_ body: @escaping @Sendable ([UInt8], Bool) -> Void) {
        // Messages come one after the other, so whoever hands one over may hold the lock only for the list.
        while true {
            let early = state.withLock { state -> [([UInt8], Bool)] in
                guard !state.early.isEmpty else {
                    state.onMessage = body
                    return []
                }
                defer { state.early = [] }
                return state.early
            }
            guard !early.isEmpty else { return }
            for (message, end) in early { body(message, end) }
        }
    }

    func credit(_ bytes: UInt64) { dispatcher.creditToCaller(id, bytes) }

    // MARK: CallResponder

    func received(_ message: UnsafeRawBufferPointer, end: Bool) {
        let bytes = Array(message)
        let body = state.withLock { state in
            if state.onMessage == nil { state.early.append((bytes, end)) }
            return state.onMessage
        }
        body?(bytes, end)
    }

    func cancelled(_ reason: UInt32) {
        let body = state.withLock { state in
            state.isCancelled = true
            defer { state.onCancel = nil }
            return state.onCancel
        }
        body?()
    }

    func credited(_ bytes: UInt64) { state.withLock { $0.onCredit }?() }
}
