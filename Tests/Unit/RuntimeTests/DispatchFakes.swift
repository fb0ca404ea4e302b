// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import Synchronization

@testable import Runtime

/// A plugin behind a C table, whose behaviour is closures. Closures run under no lock.
final class FakePlugin: @unchecked Sendable {
    // Set up before the first call; `table` lives as long as the process, as a loaded library would.
    typealias Handler = @Sendable (FakePlugin, theatre_request) -> Int32

    let table: UnsafeMutablePointer<theatre_instance>
    private(set) var host: UnsafePointer<theatre_host>
    var onInvoke: Handler = { plugin, request in plugin.echo(request) }
    var onReply: @Sendable (FakePlugin, UInt64, Int32, [UInt8], String) -> Void = { _, _, _, _, _ in }
    var onSend: @Sendable (FakePlugin, UInt64, UInt64, [UInt8], Bool) -> Void = { _, _, _, _, _ in }
    var onCredit: @Sendable (FakePlugin, UInt64, UInt64) -> Void = { _, _, _ in }
    var onCancel: @Sendable (FakePlugin, UInt64, UInt32) -> Void = { _, _, _ in }
    private let seen = Mutex(Seen())

    struct Seen {
        var calls: [UInt64] = []
        var contexts: [[UInt8]] = []
        var deadlines: [UInt64] = []
        var cancels: [UInt32] = []
        var replies: [(id: UInt64, code: Int32, payload: [UInt8], reason: String)] = []
        var chunks: [[UInt8]] = []
    }

    var recorded: Seen { seen.withLock { $0 } }

    init(_ host: UnsafePointer<theatre_host>) {
        self.host = host
        table = .allocate(capacity: 1)
        table.initialize(to: theatre_instance())
        table.pointee.struct_size = UInt32(MemoryLayout<theatre_instance>.size)
        table.pointee.`self` = Unmanaged.passRetained(self).toOpaque()
        table.pointee.invoke = { raw, request in
            guard let plugin = FakePlugin.at(raw), let request else { return THEATRE_INTERNAL }
            plugin.seen.withLock { seen in
                seen.calls.append(request.pointee.call)
                seen.contexts.append(Array(request.pointee.context.buffer))
                seen.deadlines.append(request.pointee.deadline_ns)
            }
            return plugin.onInvoke(plugin, request.pointee)
        }
        table.pointee.reply = { raw, id, result in
            guard let plugin = FakePlugin.at(raw), let result else { return THEATRE_INTERNAL }
            let payload = Array(result.pointee.payload.buffer)
            let reason = result.pointee.error?.pointee.reason.text ?? ""
            let code = result.pointee.code
            plugin.seen.withLock { $0.replies.append((id, code, payload, reason)) }
            plugin.onReply(plugin, id, code, payload, reason)
            return THEATRE_OK
        }
        table.pointee.send = { raw, id, chunk in
            guard let plugin = FakePlugin.at(raw), let chunk else { return THEATRE_INTERNAL }
            let data = Array(chunk.pointee.data.buffer)
            plugin.seen.withLock { $0.chunks.append(data) }
            plugin.onSend(plugin, id, chunk.pointee.seq, data, chunk.pointee.flags & THEATRE_CHUNK_END != 0)
            return THEATRE_OK
        }
        table.pointee.credit = { raw, id, bytes in
            guard let plugin = FakePlugin.at(raw) else { return }
            plugin.onCredit(plugin, id, bytes)
        }
        table.pointee.cancel = { raw, id, reason in
            guard let plugin = FakePlugin.at(raw) else { return }
            plugin.seen.withLock { $0.cancels.append(reason) }
            plugin.onCancel(plugin, id, reason)
        }
    }

    private static func at(_ raw: UnsafeMutableRawPointer?) -> FakePlugin? {
        raw.map { Unmanaged<FakePlugin>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: what it may ask of the host

    func echo(_ request: theatre_request) -> Int32 {
        complete(request.call, Array(request.payload.buffer))
        return THEATRE_OK
    }

    @discardableResult
    func complete(_ id: UInt64, _ payload: [UInt8] = []) -> Int32 {
        payload.withUnsafeBytes { bytes in
            var result = theatre_result()
            result.struct_size = UInt32(MemoryLayout<theatre_result>.size)
            result.payload = theatre_bytes(bytes)
            return raw(id, &result)
        }
    }

    @discardableResult
    func fail(_ id: UInt64, _ error: CallError) -> Int32 {
        error.withCError { cError in
            withUnsafePointer(to: &cError) { pointer in
                var result = theatre_result()
                result.struct_size = UInt32(MemoryLayout<theatre_result>.size)
                result.code = error.code.rawValue
                result.error = pointer
                return raw(id, &result)
            }
        }
    }

    @discardableResult
    func raw(_ id: UInt64, _ result: inout theatre_result) -> Int32 {
        host.pointee.complete(host.pointee.ctx, id, &result)
    }

    struct Refused: Error, Equatable {
        var code: Int32
        var reason: String
    }

    func request(
        _ operation: UInt32, on parent: UInt64 = 0, _ payload: [UInt8] = [], deadline: UInt64 = 0
    ) -> Result<UInt64, Refused> {
        payload.withUnsafeBytes { bytes in
            var request = theatre_request()
            request.struct_size = UInt32(MemoryLayout<theatre_request>.size)
            request.operation = operation
            request.on_behalf_of = parent
            request.payload = theatre_bytes(bytes)
            request.deadline_ns = deadline
            var id: UInt64 = 0
            var error = theatre_error()
            error.struct_size = UInt32(MemoryLayout<theatre_error>.size)
            let code = host.pointee.request(host.pointee.ctx, &request, &id, &error)
            return code == THEATRE_OK ? .success(id) : .failure(Refused(code: code, reason: error.reason.text))
        }
    }

    func send(_ id: UInt64, _ data: [UInt8], seq: UInt64, end: Bool = false) -> Int32 {
        data.withUnsafeBytes { bytes in
            var chunk = theatre_chunk()
            chunk.struct_size = UInt32(MemoryLayout<theatre_chunk>.size)
            chunk.flags = end ? THEATRE_CHUNK_END : 0
            chunk.seq = seq
            chunk.data = theatre_bytes(bytes)
            return host.pointee.send(host.pointee.ctx, id, &chunk)
        }
    }

    func credit(_ id: UInt64, _ bytes: UInt64) { host.pointee.credit(host.pointee.ctx, id, bytes) }
    func isLive(_ id: UInt64) -> Bool { host.pointee.is_live(host.pointee.ctx, id) == 1 }
}

/// Remembers what a call came to.
final class Recorder: CallSink {
    struct Ended: Sendable, Equatable {
        var payload: [UInt8]
        var error: CallError?
    }

    private let state = Mutex<(ended: [Ended], chunks: [[UInt8]], ends: Int, credit: UInt64)>(([], [], 0, 0))
    let onComplete: @Sendable () -> Void

    init(onComplete: @escaping @Sendable () -> Void = {}) { self.onComplete = onComplete }

    var ended: [Ended] { state.withLock { $0.ended } }
    var error: CallError? { ended.first?.error }
    var chunks: [[UInt8]] { state.withLock { $0.chunks } }
    var ends: Int { state.withLock { $0.ends } }
    var credit: UInt64 { state.withLock { $0.credit } }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        let ended = Ended(payload: Array(result.payload), error: result.error)
        state.withLock { $0.ended.append(ended) }
        onComplete()
    }

    func receive(_ call: CallID, _ message: UnsafeRawBufferPointer, end: Bool) {
        let bytes = Array(message)
        state.withLock { state in
            state.chunks.append(bytes)
            state.ends += end ? 1 : 0
        }
    }

    func credit(_ call: CallID, bytes: UInt64) { state.withLock { $0.credit += bytes } }
}

/// Time that stands still.
final class StillClock: HostClock {
    private let time = Atomic<UInt64>(1_000_000_000)
    func monotonic() -> UInt64 { time.load(ordering: .relaxed) }
    func wall() -> UInt64 { time.load(ordering: .relaxed) }
    func advance(milliseconds: UInt64) { time.wrappingAdd(milliseconds * 1_000_000, ordering: .relaxed) }
}

/// Routes by feature name alone.
final class FixedRouting: Routing {
    let answers: [String: Resolution]
    init(_ answers: [String: Resolution]) { self.answers = answers }
    func resolve(_ query: borrowing RouteQuery) -> Resolution {
        answers[query.feature] ?? .unavailable(CallError(.unavailable, "route.unrouted", "Nobody serves it."))
    }
}

/// A service whose calls a test answers.
final class FakeService: HostService {
    let contract = "test.v1.Service"
    private let open = Mutex<[any HostCall]>([])
    let onServe: (@Sendable (any HostCall) -> Void)?
    init(_ onServe: (@Sendable (any HostCall) -> Void)? = nil) { self.onServe = onServe }
    var calls: [any HostCall] { open.withLock { $0 } }
    func serve(_ operation: String, _ call: any HostCall) {
        open.withLock { $0.append(call) }
        onServe?(call)
    }
}

/// A dispatcher with fake instances.
final class Stage {
    let clock = StillClock()
    let dispatcher: Dispatcher
    private var ports: [String: InstancePort] = [:]
    var routing: FixedRouting?

    init(limits: Dispatcher.Limits = Dispatcher.Limits()) { dispatcher = Dispatcher(clock: clock, limits: limits) }

    func port(
        _ name: String, operations: [PortOperation] = [PortOperation("test.v1.Test/Run")], calls: [PortCall] = [],
        limits: InstancePort.Limits = InstancePort.Limits(), hooks: InstancePort.Hooks = InstancePort.Hooks(),
        generation: UInt32 = 1
    ) throws -> (InstancePort, FakePlugin) {
        let identity = InstanceIdentity(
            instance: name, plugin: "Fake", generation: generation, grants: ResolvedGrants())
        let port = dispatcher.makePort(identity, operations: operations, calls: calls, limits: limits, hooks: hooks)
        let plugin = FakePlugin(port.hostTable)
        try port.attach(plugin.table)
        port.open()
        ports[name] = port
        install()
        return (port, plugin)
    }

    func route(_ answers: [String: Resolution]) {
        routing = FixedRouting(answers)
        install()
    }

    func install() { dispatcher.install(DispatchTable(ports: ports, routing: routing)) }

    @discardableResult
    func start(
        _ name: String, _ operation: String = "test.v1.Test/Run", _ payload: [UInt8] = [1, 2, 3], _ sink: Recorder,
        context: CallContext = .system, timeout: UInt64 = 0
    ) throws -> CallID {
        let target = try dispatcher.target(instance: name, operation: operation)
        return payload.withUnsafeBytes { bytes in
            var call = OutgoingCall(payload: bytes, context: context)
            if timeout > 0 { call.deadline = clock.monotonic() + timeout * 1_000_000 }
            return dispatcher.start(call, on: target, sink: sink)
        }
    }
}
