// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// The calls that an instance at a server makes to this host. The server numbers them one way, the dispatcher another.
final class SessionCalls: Sendable {
    private let indexes: [String: UInt32]
    private let host: HostTable
    private let send: @Sendable (RemoteHostFrame) -> Void
    private let state = Mutex(State())

    private struct State {
        /// By the server's number.
        var calls: [UInt64: Made] = [:]
        /// The server's number by the dispatcher's.
        var numbers: [UInt64: UInt64] = [:]
        /// What came for a call before its number was known here.
        var early: [UInt64: [Event]] = [:]
        var isEnded = false
    }

    private struct Made {
        /// 0 until the dispatcher gave it one.
        var id: UInt64 = 0
        var seq: UInt64 = 0
    }

    /// What the dispatcher has for a call.
    enum Event: Sendable {
        case reply(Ending)
        case chunk([UInt8], end: Bool)
        case credit(UInt64)
    }

    /// Most calls at once.
    private static let most = 4096

    init(_ names: [String], _ host: HostTable, _ send: @escaping @Sendable (RemoteHostFrame) -> Void) {
        indexes = Dictionary(
            names.enumerated().map { ($1, UInt32($0)) }, uniquingKeysWith: { first, _ in first })
        (self.host, self.send) = (host, send)
    }

    // MARK: from the server

    func act(on frame: RemotePluginFrame) {
        switch frame.frame {
        case .request(let request): begin(request)
        case .chunk(let chunk): pass(chunk)
        case .credit(let credit): if let id = id(of: credit.call) { host.credit(id, credit.bytes) }
        case .cancel(let cancel): if let id = id(of: cancel.call) { host.cancel(id) }
        case .log(let line): host.log(line.level, line.message, line.fields)
        case .done, nil: return
        }
    }

    private func id(of number: UInt64) -> UInt64? {
        state.withLock { state in state.calls[number].flatMap { $0.id == 0 ? nil : $0.id } }
    }

    private func begin(_ request: RemoteRequest) {
        let number = request.call
        let isTaken = state.withLock { state in
            guard !state.isEnded, state.calls[number] == nil, state.calls.count < Self.most else { return false }
            state.calls[number] = Made()
            return true
        }
        guard isTaken else {
            return answer(
                number,
                .failed(
                    CallError(
                        .resourceExhausted, "remote.too_many_calls",
                        "The plugin's server has \(Self.most) calls under way, or numbered one twice.", retry: .safe)))
        }
        do throws(CallError) {
            guard let index = indexes[request.name] else {
                throw CallError(
                    .invalidArgument, "call.unknown_operation", "The manifest's calls do not list \(request.name).")
            }
            var call = OutgoingRequest()
            call.onBehalfOf = request.onBehalfOf
            call.payload = Array(request.payload)
            call.key = Array(request.idempotencyKey.utf8)
            call.attributes = Array(request.attributes)
            call.timeout = request.timeoutNs
            call.attempt = max(1, request.attempt)
            took(number, try host.request(index, call))
        } catch {
            forget(number)
            answer(number, .failed(error))
        }
    }

    /// The dispatcher gave the call its number; what came meanwhile is handed over in order.
    private func took(_ number: UInt64, _ id: UInt64) {
        let isWanted = state.withLock { state in
            state.calls[number]?.id = id
            state.numbers[id] = number
            for event in state.early.removeValue(forKey: id) ?? [] { tell(number, id, event, &state) }
            return !state.isEnded
        }
        if !isWanted { host.cancel(id) }
    }

    private func pass(_ chunk: RemoteChunk) {
        let call = state.withLock { state -> Made? in
            guard let made = state.calls[chunk.call], made.id != 0 else { return nil }
            state.calls[chunk.call]?.seq += 1
            return made
        }
        guard let call else { return }
        // More than the credit allows: the server does not keep to the rules.
        if host.send(call.id, Array(chunk.data), seq: call.seq, end: chunk.end) == THEATRE_RESOURCE_EXHAUSTED {
            host.cancel(call.id)
        }
    }

    // MARK: from the dispatcher

    /// Something came for a call of the instance's.
    func receive(_ id: UInt64, _ event: Event) {
        state.withLock { state in
            guard let number = state.numbers[id] else {
                if !state.isEnded { state.early[id, default: []].append(event) }
                return
            }
            tell(number, id, event, &state)
        }
    }

    private func tell(_ number: UInt64, _ id: UInt64, _ event: Event, _ state: inout State) {
        switch event {
        case .reply(let ending):
            state.numbers[id] = nil
            state.calls[number] = nil
            answer(number, ending)
        case .chunk(let data, let end):
            send(
                .with {
                    $0.chunk = .with {
                        $0.call = number
                        $0.data = .init(data)
                        $0.end = end
                    }
                })
        case .credit(let bytes):
            send(
                .with {
                    $0.credit = .with {
                        $0.call = number
                        $0.bytes = bytes
                    }
                })
        }
    }

    private func answer(_ number: UInt64, _ ending: Ending) {
        send(
            .with {
                $0.reply = .with { reply in
                    reply.call = number
                    switch ending {
                    case .answered(let payload): reply.payload = .init(payload)
                    case .failed(let error): reply.error = error.wire
                    }
                }
            })
    }

    private func forget(_ number: UInt64) {
        state.withLock { $0.calls[number] = nil }
    }

    /// The server is gone: nobody waits for the answers.
    func end() {
        let open = state.withLock { state in
            state.isEnded = true
            state.early = [:]
            return state.calls.values.map(\.id)
        }
        for id in open where id != 0 { host.cancel(id) }
    }
}
