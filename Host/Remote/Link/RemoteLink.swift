// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import CTheatrePlugin
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Registry
internal import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// The connection of one generation of an instance to its server, and all that goes over it.
final class RemoteLink: Sendable {
    let plan: InstancePlan
    let remote: InstanceDeclaration.Remote
    let transport: HTTP2ClientTransport.Posix
    let turns = StreamTurns()
    /// Names the generation in every call; 0 before the server has a session.
    let number = UInt64.random(in: 1 ... .max)
    private let ended: @Sendable (InstanceEnd) -> Void
    private let state = Mutex(State())
    private let parts = Atomic<UInt64>(0)

    private struct State {
        var host: HostTable?
        var session: SessionClient?
        var hasSession = false
        var calls: [UInt64: OutboundCall] = [:]
        /// Why no call is sent now.
        var refusal: CallError?
        var isLost = false
        var isOver = false
        var cause = ""
        var tasks: [Task<Void, Never>] = []
    }

    /// Most bytes of a message of a call.
    static let messageLimit = Dispatcher.Limits().messageSize

    /// Milliseconds that calls have to end by themselves once the server is lost.
    private static let patience = 1000

    /// - Parameter ended: called once where the server is lost and nobody asked for that.
    init(
        _ plan: InstancePlan, _ remote: InstanceDeclaration.Remote, _ transport: HTTP2ClientTransport.Posix,
        ended: @escaping @Sendable (InstanceEnd) -> Void
    ) {
        (self.plan, self.remote, self.transport, self.ended) = (plan, remote, transport, ended)
        let running = Bridge.start { [transport, weak self] in
            do { try await transport.connect() } catch { self?.lost(Reach.words(error)) }
        }
        state.withLock { $0.tasks.append(running) }
    }

    /// Something came from the server.
    func heard() { parts.wrappingAdd(1, ordering: .relaxed) }

    /// How often something came from it.
    var heardCount: UInt64 { parts.load(ordering: .relaxed) }

    // MARK: life

    /// Begins to speak for an instance.
    func begin(_ host: HostTable) -> SessionClient {
        let session = SessionClient(self, host)
        state.withLock { state in
            state.host = host
            state.session = session
        }
        keep(Bridge.start { await session.run() })
        return session
    }

    /// Whether the server has a session, once that is known.
    func settle(hasSession: Bool) {
        state.withLock { $0.hasSession = hasSession }
        let monitor = HealthMonitor(self)
        keep(Bridge.start { await monitor.run() })
    }

    private func keep(_ task: Task<Void, Never>) {
        let isOver = state.withLock { state in
            state.tasks.append(task)
            return state.isOver
        }
        if isOver { task.cancel() }
    }

    /// The server is gone. Calls under way have a moment to end by what their own streams say.
    func lost(_ cause: String) {
        let (isNew, isIdle) = state.withLock { state in
            guard !state.isLost, !state.isOver else { return (false, false) }
            state.isLost = true
            state.cause = cause
            state.refusal = Self.away(plan, cause)
            return (true, state.calls.isEmpty)
        }
        guard isNew else { return }
        if isIdle { return conclude() }
        keep(
            Bridge.start { [self] in
                do { try await Task.sleep(for: .milliseconds(Self.patience)) } catch { return }
                conclude()
            })
    }

    /// Ends what is left after a loss, and tells of it.
    private func conclude() {
        guard close() else { return }
        let at = Int64(theatre_clock_wall() / 1_000_000)
        var end = InstanceEnd(
            at: at, cause: "at \(remote.endpoint) is out of reach (\(state.withLock { $0.cause }))", output: "")
        end.isPassing = true
        ended(end)
    }

    /// Ends it because nobody needs it any more.
    func stop() { _ = close() }

    private func close() -> Bool {
        let (calls, session, host, tasks, isFirst) = state.withLock { state in
            defer {
                state.isOver = true
                state.refusal = state.refusal ?? Self.away(plan, "it was stopped")
                state.tasks = []
            }
            return (Array(state.calls.values), state.session, state.host, state.tasks, !state.isOver)
        }
        guard isFirst else { return false }
        if let host { for call in calls { call.finish(call.loss(self), self, host) } }
        session?.end()
        transport.beginGracefulShutdown()
        for task in tasks { task.cancel() }
        return true
    }

    /// What the server says of whether it serves.
    func setServing(_ isServing: Bool) {
        state.withLock { state in
            guard !state.isLost, !state.isOver else { return }
            state.refusal =
                isServing
                ? nil
                : CallError(
                    .unavailable, "remote.not_serving",
                    "The server of instance \(plan.name) says that it does not serve now.", retry: .safe)
        }
    }

    static func away(_ plan: InstancePlan, _ cause: String) -> CallError {
        CallError(
            .unavailable, "remote.away", "The server of instance \(plan.name) cannot be reached: \(cause).",
            retry: .safe)
    }

    // MARK: calls

    /// Takes a call of the host; it is completed later, or at once where it cannot be sent.
    func invoke(_ request: theatre_request) {
        let parts = state.withLock { state in (state.host, state.hasSession ? number : 0) }
        guard let host = parts.0, let name = operation(request.operation) else { return }
        let now = host.now
        let call = OutboundCall(
            id: request.call, method: name,
            metadata: CallMetadata.make(
                Self.header(request, session: parts.1),
                nanoseconds: request.deadline_ns > now ? request.deadline_ns - now : 0),
            payload: request.payload.array, flags: request.flags)
        let refusal = state.withLock { state in
            if state.refusal == nil { state.calls[call.id] = call }
            return state.refusal
        }
        if let refusal { return host.complete(request.call, .failed(refusal)) }
        call.start(self, host: host)
    }

    private func operation(_ index: UInt32) -> MethodDescriptor? {
        guard Int(index) < plan.operations.count else { return nil }
        let name = plan.operations[Int(index)].name
        guard let slash = name.lastIndex(of: "/") else { return nil }
        return method(String(name[..<slash]), String(name[name.index(after: slash)...]))
    }

    private static func header(_ request: theatre_request, session: UInt64) -> RemoteCallHeader {
        RemoteCallHeader.with {
            $0.session = session
            $0.call = request.call
            $0.attempt = request.attempt
            $0.idempotencyKey = request.idempotency_key.string
            $0.context = .init(request.context.array)
        }
    }

    /// The call that the host knows by this id; nil where it has ended.
    func call(_ id: UInt64) -> OutboundCall? { state.withLock { $0.calls[id] } }

    /// What the instance's own calls go by.
    var session: SessionClient? { state.withLock { $0.session } }

    func forget(_ call: OutboundCall) {
        let isLast = state.withLock { state in
            state.calls[call.id] = nil
            return state.isLost && !state.isOver && state.calls.isEmpty
        }
        if isLast { conclude() }
    }

    /// Why calls are refused while the server is reached.
    var refusalNow: CallError? { state.withLock { $0.isLost || $0.isOver ? nil : $0.refusal } }

    /// What is to be known of it.
    var facts: [String: String] {
        state.withLock { state in
            [
                "endpoint": remote.endpoint.description,
                "security": remote.tls.map { "mutual TLS with \($0.serverName)" } ?? "plain text",
                "session": state.hasSession ? "open" : "none: the server has no Session",
                "health": state.refusal.map(\.message) ?? "serving",
            ]
        }
    }
}
