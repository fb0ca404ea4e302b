// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// Stands for the host towards the library: what it calls goes over the session, and comes back over it.
final class HostForwarder: HostService {
    let contract = "theatre.remote.v1.Session"
    private let send: @Sendable (RemotePluginFrame) -> Void
    private let state = Mutex(State())
    private let clock = SystemClock()

    private struct State {
        var next: UInt64 = 1
        var calls: [UInt64: Forwarded] = [:]
        var isEnded = false
    }

    private struct Forwarded {
        let call: any HostCall
        /// What the library has not taken yet.
        var waiting: [(data: [UInt8], end: Bool)] = []
        var waitingBytes = 0
        /// A thread hands over what waits.
        var isPassing = false
        /// Credit came while it did.
        var isAgain = false
    }

    init(_ send: @escaping @Sendable (RemotePluginFrame) -> Void) { self.send = send }

    /// `operation` is the name in the manifest's `calls`.
    func serve(_ operation: String, _ call: any HostCall) {
        let number = state.withLock { state -> UInt64? in
            guard !state.isEnded else { return nil }
            defer { state.next += 1 }
            state.calls[state.next] = Forwarded(call: call)
            return state.next
        }
        guard let number else { return call.fail(Self.gone) }
        let now = clock.monotonic()
        call.onCredit { [weak self] in self?.pass(number) }
        send(
            .with {
                $0.request = .with { request in
                    request.call = number
                    request.name = operation
                    request.onBehalfOf = call.context.origin
                    request.payload = .init(call.payload)
                    request.timeoutNs = call.deadline > now ? call.deadline - now : 1
                    request.attempt = call.attempt
                    request.idempotencyKey = call.idempotencyKey
                    request.attributes = .init(call.attributes)
                }
            })
        call.onMessage { [send] data, end in
            send(
                .with {
                    $0.chunk = .with { chunk in
                        chunk.call = number
                        chunk.data = .init(data)
                        chunk.end = end
                    }
                })
        }
        call.onCancel { [send] in send(.with { $0.cancel = .with { $0.call = number } }) }
    }

    // MARK: from the host

    /// The call ended.
    func end(_ reply: RemoteReply) {
        guard let forwarded = state.withLock({ $0.calls.removeValue(forKey: reply.call) }) else { return }
        // Credit was given for what waits, so the library takes it.
        for (data, end) in forwarded.waiting { _ = forwarded.call.send(data, end: end) }
        if reply.hasError {
            forwarded.call.fail(CallError(reply.error))
        } else {
            forwarded.call.complete(Array(reply.payload))
        }
    }

    /// The library may send more.
    func credit(_ credit: RemoteCredit) {
        state.withLock { $0.calls[credit.call] }?.call.credit(credit.bytes)
    }

    /// A message for the library; false where so much waits already that the host cannot have had credit for it.
    func pass(_ chunk: RemoteChunk) -> Bool {
        let isWithin = state.withLock { state in
            guard let forwarded = state.calls[chunk.call] else { return true }
            let bytes = forwarded.waitingBytes + chunk.data.count
            guard bytes <= Self.mostBytes, forwarded.waiting.count < Self.mostMessages else { return false }
            state.calls[chunk.call]?.waiting.append((Array(chunk.data), chunk.end))
            state.calls[chunk.call]?.waitingBytes = bytes
            return true
        }
        if isWithin { pass(chunk.call) }
        return isWithin
    }

    /// Hands over what the library takes, in order, by one thread at a time.
    private func pass(_ number: UInt64) {
        let isMine = state.withLock { state in
            guard let forwarded = state.calls[number] else { return false }
            state.calls[number]?.isAgain = true
            state.calls[number]?.isPassing = true
            return !forwarded.isPassing
        }
        guard isMine else { return }
        while let (call, data, end) = next(number) {
            if call.send(data, end: end) {
                state.withLock { state in
                    state.calls[number]?.waiting.removeFirst()
                    state.calls[number]?.waitingBytes -= data.count
                    state.calls[number]?.isAgain = true
                }
                send(
                    .with {
                        $0.credit = .with { credit in
                            credit.call = number
                            credit.bytes = UInt64(data.count)
                        }
                    })
            }
        }
    }

    /// What is next; nil where nothing is, or it was refused and no credit came since.
    private func next(_ number: UInt64) -> (any HostCall, [UInt8], Bool)? {
        state.withLock { state in
            guard let forwarded = state.calls[number] else { return nil }
            guard let first = forwarded.waiting.first, forwarded.isAgain else {
                state.calls[number]?.isPassing = false
                return nil
            }
            state.calls[number]?.isAgain = false
            return (forwarded.call, first.data, first.end)
        }
    }

    /// The session is over.
    func end() {
        let calls = state.withLock { state in
            defer { state.calls = [:] }
            state.isEnded = true
            return state.calls.values.map(\.call)
        }
        for call in calls { call.fail(Self.gone) }
    }

    /// Far more than the credit a stream begins with, and one message that may be larger than that.
    private static let mostBytes = SessionClient.frameLimit + 1 << 20
    private static let mostMessages = 65_536

    private static let gone = CallError(
        .unavailable, "remote.host_lost", "The session with the host ended.", effect: .unknown)
}
