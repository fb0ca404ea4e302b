// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import CTheatrePlugin
internal import Synchronization

/// Carries calls: from the host to instances, from instances to the host, and between instances.
///
/// Every call lives in a slot of one table, completes exactly once, and has a deadline that the host enforces. No
/// function takes a lock on the way of a call that succeeds, but for the sampled spans of threads that have no lane of
/// their own.
public final class Dispatcher: CallStarting, @unchecked Sendable {
    // `tables`, `ports` and `settings` keep alive what the atomic pointers refer to.

    /// What plugins read and deadlines are measured by.
    public let clock: any HostClock
    private let system: Unmanaged<SystemClock>?
    let systemContext = Unmanaged.passUnretained(CallContext.system).toOpaque()
    let limits: Limits
    let table = CallTable()
    private let current: Atomic<Unmanaged<DispatchTable>>
    private let spans = Atomic<Unmanaged<SpanSettings>?>(nil)
    private let kept: Mutex<Kept>
    let isSweeping = Atomic<Bool>(false)

    private struct Kept {
        var tables: [DispatchTable]
        var ports: [InstancePort] = []
        var settings: [SpanSettings] = []
    }

    /// Bounds of every call.
    public struct Limits: Sendable {
        /// Nanoseconds for calls whose caller and operation set no deadline.
        public var defaultTimeout: UInt64 = 30_000_000_000
        /// Bytes of one message.
        public var messageSize = 1 << 20
        /// Bytes of one answer of a host service: an answer from the outside has a body of up to 16 MiB, and headers.
        public var serviceAnswerSize = 17 << 20
        /// Calls on behalf of calls.
        public var depth: UInt32 = 16

        /// 30 s, 1 MiB, 17 MiB, 16.
        public init() {}
    }

    /// A dispatcher that serves nothing yet. Call ``startSweeping()`` once to have deadlines enforced.
    public init(clock: any HostClock = SystemClock(), limits: Limits = Limits()) {
        self.clock = clock
        system = (clock as? SystemClock).map { Unmanaged.passUnretained($0) }
        self.limits = limits
        let empty = DispatchTable(ports: [:])
        kept = Mutex(Kept(tables: [empty]))
        current = Atomic(Unmanaged.passUnretained(empty))
    }

    /// The monotonic clock, for durations and deadlines; the machine's own is read without a detour.
    @inline(__always)
    func now(_ thread: ThreadPointer) -> UInt64 {
        system?._withUnsafeGuaranteedRef { $0.monotonic(thread) } ?? clock.monotonic()
    }

    // MARK: what serves

    /// Makes the port of a new generation. It serves after `attach`, `open` and ``install(_:)``.
    public func makePort(
        _ identity: InstanceIdentity, operations: [PortOperation], calls: [PortCall] = [],
        limits: InstancePort.Limits = InstancePort.Limits(), hooks: InstancePort.Hooks = InstancePort.Hooks()
    ) -> InstancePort {
        kept.withLock { kept in
            let port = InstancePort(
                identity, operations: operations, calls: calls, limits: limits, hooks: hooks, dispatcher: self,
                number: kept.ports.count)
            kept.ports.append(port)
            return port
        }
    }

    /// Flips to a new table, at once for every call that starts from now on.
    ///
    /// - Parameter replaced: ports that the new table no longer has; calls that began before still reach them.
    public func install(_ table: DispatchTable, replacing replaced: [InstancePort] = []) {
        kept.withLock { kept in
            table.number.store(kept.tables.count, ordering: .relaxed)
            kept.tables.append(table)
            // First: whoever sees the new table also sees that the ports give way to it.
            for port in replaced { port.giveWay(to: table) }
            current.store(Unmanaged.passUnretained(table), ordering: .sequentiallyConsistent)
        }
    }

    @inline(__always)
    var unmanagedServing: Unmanaged<DispatchTable> { current.load(ordering: .acquiring) }

    /// The table that serves.
    public var serving: DispatchTable { current.load(ordering: .acquiring).takeUnretainedValue() }

    /// Sends spans to `exporter`; `ratio` is the share of new traces that are sampled, 0 to 1. nil ends it.
    public func export(spansTo exporter: (any SpanExporter)?, ratio: Double = 1) {
        kept.withLock { kept in
            kept.settings.last?.flush()
            guard let exporter else { return spans.store(nil, ordering: .releasing) }
            let settings = SpanSettings(exporter, ratio: ratio)
            kept.settings.append(settings)
            spans.store(Unmanaged.passUnretained(settings), ordering: .releasing)
        }
    }

    /// Hands the spans of ended calls to the exporter. The thread that enforces deadlines does it every few milliseconds.
    public func flushSpans() { spanSettings?.takeUnretainedValue().flush() }

    @inline(__always)
    var spanSettings: Unmanaged<SpanSettings>? { spans.load(ordering: .acquiring) }

    /// The counters of every serving instance, by name.
    public func snapshot() -> [InstanceSnapshot] {
        serving.ports.values.map { $0.snapshot() }.sorted { $0.instance < $1.instance }
    }

    /// The generation of an instance that serves by the installed table; nil where none does.
    public func generation(of instance: String) -> UInt32? { serving.ports[instance]?.identity.generation }

    // MARK: CallStarting

    /// The target of an instance's operation as the installed table has it; throws why there is none.
    public func target(instance: String, operation: String) throws(CallError) -> CallTarget {
        let table = serving
        guard let port = table.ports[instance] else {
            if let reason = table.closed[instance] {
                throw CallError(.unavailable, "instance.closed", reason, retry: .safe)
            }
            throw CallError(.notFound, "instance.unknown", "No instance is named \(instance).")
        }
        let own = port.operation(named: operation)
        guard let index = own ?? port.call(toRoutedService: operation) else {
            throw CallError(
                .unimplemented, "instance.no_operation",
                "Instance \(instance) of plugin \(port.identity.plugin) does not provide \(operation).")
        }
        if let refusal = port.refusal {
            // It may have been replaced while it was looked up.
            guard serving === table else { return try target(instance: instance, operation: operation) }
            throw refusal
        }
        return CallTarget(port: port, operation: index, isHosts: own == nil)
    }

    /// Sends a call; its completion comes through `sink`, exactly once, also where it is refused at once.
    @discardableResult
    public func start(_ call: borrowing OutgoingCall, on target: CallTarget, sink: any CallSink) -> CallID {
        var launch = Launch(payload: call.payload, context: .passUnretained(call.context), deadline: call.deadline)
        launch.timeout = call.timeout
        launch.sink = sink
        launch.attempt = call.attempt
        launch.trace = call.context.trace
        do throws(CallError) {
            if target.isHosts { return CallID(rawValue: try serve(&launch, target)) }
            if call.idempotencyKey.isEmpty { return CallID(rawValue: try self.launch(launch, on: target)) }
            return CallID(rawValue: try self.launch(launch, key: call.idempotencyKey, on: target))
        } catch {
            Trampoline.enter { sink.complete(.none, CallResult(error)) }
            return .none
        }
    }

    @inline(__always)
    private func launch(_ launch: borrowing Launch, on target: CallTarget) throws(CallError) -> UInt64 {
        try self.launch(launch, key: launch.key, on: target.port.core, target.operation)
    }

    /// Keys are short, so a copy is cheaper than what a borrowed one costs in code.
    private func launch(
        _ launch: borrowing Launch, key: String, on target: CallTarget
    ) throws(CallError) -> UInt64 {
        let bytes = Array(key.utf8)
        let result: Result<UInt64, CallError> = bytes.withUnsafeBytes { bytes in
            do throws(CallError) {
                return .success(try self.launch(launch, key: bytes, on: target.port.core, target.operation))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Sends the next message of the call's incoming stream; false without credit or after the end.
    public func send(_ call: CallID, _ message: UnsafeRawBufferPointer, end: Bool) -> Bool {
        guard let slot = table.pin(call.rawValue) else { return false }
        defer { unpin(slot, call.rawValue) }
        guard slot.pointee.sink != nil else { return false }
        return sendIn(slot, call.rawValue, message, end: end)
    }

    /// Lets the callee send this many bytes more.
    public func credit(_ call: CallID, bytes: UInt64) {
        guard let slot = table.pin(call.rawValue) else { return }
        defer { unpin(slot, call.rawValue) }
        if slot.pointee.sink != nil { creditCallee(slot, call.rawValue, bytes) }
    }

    /// Gives a call up. Its completion still comes, once.
    public func cancel(_ call: CallID) {
        guard let slot = table.pin(call.rawValue) else { return }
        defer { unpin(slot, call.rawValue) }
        if slot.pointee.sink != nil { tellCancelled(slot, call.rawValue, THEATRE_CANCEL_CALLER) }
    }
}
