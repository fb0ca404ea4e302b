// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization
internal import TheatreContracts

/// A call this instance serves, from the seam's `invoke` to its completion.
final class ServedCall: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        var isCancelled = false
        var isDone = false
        var context: HostContext?
    }

    let instance: PluginInstance
    let id: theatre_id
    let deadline: UInt64
    let attempt: UInt32
    let flags: UInt32
    let key: [UInt8]
    private let contextBytes: [UInt8]
    let inbound: InboundChannel?
    let outbound: OutboundChannel?
    private let state = Mutex(State())

    init(_ instance: PluginInstance, _ request: theatre_request, inbound: Bool = false, outbound: Bool = false) {
        let id = request.call
        let connection = instance.connection
        self.instance = instance
        self.id = id
        deadline = request.deadline_ns
        attempt = request.attempt
        flags = request.flags
        key = request.idempotency_key.copy
        contextBytes = request.context.copy
        self.inbound =
            inbound ? InboundChannel(endsWithChunk: true, grant: { connection.grant(id, $0) }) : nil
        self.outbound = outbound ? OutboundChannel { connection.send(id, $0) } : nil
    }

    var hasSideEffect: Bool { flags & THEATRE_CALL_SIDE_EFFECT != 0 }

    /// Decoded at the first use; an unreadable one is empty.
    var context: HostContext {
        state.withLock { state in
            if let context = state.context { return context }
            let context = contextBytes.withUnsafeBytes { bytes -> HostContext in
                do { return try HostContext(borrowing: bytes) } catch { return HostContext() }
            }
            state.context = context
            return context
        }
    }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// The task that serves the call. A cancellation that came before is passed on.
    func adopt(_ task: Task<Void, Never>) {
        let cancels = state.withLock { state in
            if !state.isDone { state.task = task }
            return state.isCancelled
        }
        if cancels { task.cancel() }
    }

    /// The answer is no longer wanted.
    func cancel() {
        let task = state.withLock { state in
            state.isCancelled = true
            return state.task
        }
        task?.cancel()
        inbound?.end(.failure(CancellationError()))
        outbound?.close(CancellationError())
    }

    /// Completed: lets go of the task.
    func done() {
        state.withLock { state in
            state.isDone = true
            state.task = nil
        }
        inbound?.end(.failure(CancellationError()))
    }
}
