// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import CTheatrePlugin
internal import Synchronization

/// One generation of one instance as the dispatcher sees it: its function table, its limits, and the `theatre_host`
/// table it is given. Lives as long as the dispatcher.
///
/// Order of use: make it with ``Dispatcher/makePort(_:operations:calls:limits:hooks:)``, hand ``hostTable`` to `create`,
/// ``attach(_:)`` the instance, `activate`, ``open()``, flip it in with ``Dispatcher/install(_:)``; later
/// ``close(_:)`` or ``retire()``, ``drain(_:)``, `deactivate`, `destroy`.
public final class InstancePort: @unchecked Sendable {
    // `host` and `instance` point to memory that lives as long as this; `instance` is written once, before `isAttached`.

    /// Who it is.
    public let identity: InstanceIdentity
    /// What it serves, by index.
    public let operations: [PortOperation]
    /// What it calls, by index.
    public let calls: [PortCall]

    let limits: Limits
    let hooks: Hooks
    let indexes: [String: UInt32]
    let needs: [UInt32]
    let callerField: [UInt8]
    let metrics: OperationMetrics
    let callMetrics: OperationMetrics
    /// What the way of a call reads.
    let core: CorePointer
    private let host: UnsafeMutablePointer<theatre_host>
    let instance: UnsafeMutablePointer<theatre_instance>
    let orphans = Atomic<Int>(0)
    /// Number of the table that has the next generation.
    private let successor = Atomic<Int>(0)
    let misuses = MisuseCounters()
    private let guarded = Mutex(Guarded())

    private struct Guarded {
        var refusal: CallError?
        var drained: [@Sendable () -> Void] = []
        /// Keeps alive what `previewTable` has pointed to.
        var previews: [DispatchTable] = []
    }

    enum State: UInt8 {
        case preparing = 0
        case serving = 1
        case closed = 2
        /// Another generation took over; calls that began before are still let in.
        case giving = 3
    }

    /// What bounds an instance.
    public struct Limits: Sendable {
        /// Calls sent at once; more are RESOURCE_EXHAUSTED `instance.busy`.
        public var maxConcurrency = 64
        /// Calls that may outlive their deadline; with one more the instance is quarantined.
        public var orphanCap = 64

        /// 64 and 64.
        public init() {}
    }

    /// What the owner of an instance is told. Called on any thread; must not block.
    public struct Hooks: Sendable {
        /// The instance was closed for good, with one sentence why. At most once.
        public var onQuarantine: @Sendable (InstanceIdentity, String) -> Void = { _, _ in }
        /// A call was not completed as the interface says; at most one of each kind a minute.
        public var onMisuse: @Sendable (InstanceIdentity, CallMisuse) -> Void = { _, _ in }
        /// A log line: level (`THEATRE_LOG_*`), message, JSON object of fields or nothing.
        public var onLog: @Sendable (InstanceIdentity, UInt32, String, String) -> Void = { _, _, _, _ in }

        /// Hooks that do nothing.
        public init() {}
    }

    init(
        _ identity: InstanceIdentity, operations: [PortOperation], calls: [PortCall], limits: Limits, hooks: Hooks,
        dispatcher: Dispatcher, number: Int
    ) {
        self.identity = identity
        self.operations = operations
        self.calls = calls
        self.limits = limits
        self.hooks = hooks
        indexes = Dictionary(
            operations.enumerated().map { ($1.name, UInt32($0)) }, uniquingKeysWith: { first, _ in first })
        needs = Self.numberNeeds(calls)
        callerField = CallContext.fields(of: identity)
        metrics = OperationMetrics(operations.map(\.name))
        callMetrics = OperationMetrics(calls.map(\.name))
        instance = .allocate(capacity: 1)
        instance.initialize(to: theatre_instance())
        host = .allocate(capacity: 1)
        host.initialize(to: theatre_host())
        core = .allocate(capacity: 1)
        core.initialize(
            to: PortCore(
                port: .passUnretained(self), dispatcher: .passUnretained(dispatcher), number: number,
                instance: instance, facts: Self.facts(operations.map(\.traits)),
                callFacts: Self.facts(calls.map(\.traits)), callCount: UInt32(calls.count), cells: metrics.cells,
                callCells: callMetrics.cells,
                names: Self.names(operations.map { SpanName(identity.instance, identity.generation, $0.name) }),
                callNames: Self.names(calls.map { SpanName("host", 0, $0.name) }),
                maxConcurrency: limits.maxConcurrency, callerField: keptCopy(callerField)))
        host.pointee = HostFunctions.table(core)
    }

    private static func facts(_ traits: [OperationTraits]) -> UnsafeMutablePointer<OperationFacts> {
        let facts = UnsafeMutablePointer<OperationFacts>.allocate(capacity: max(1, traits.count))
        for (index, traits) in traits.enumerated() { (facts + index).initialize(to: OperationFacts(traits)) }
        return facts
    }

    private static func names(_ names: [SpanName]) -> UnsafeMutablePointer<Unmanaged<SpanName>> {
        let kept = UnsafeMutablePointer<Unmanaged<SpanName>>.allocate(capacity: max(1, names.count))
        for (index, name) in names.enumerated() { (kept + index).initialize(to: .passRetained(name)) }
        return kept
    }

    deinit {
        for index in operations.indices { core.pointee.names[index].release() }
        for index in calls.indices { core.pointee.callNames[index].release() }
        core.pointee.names.deallocate()
        core.pointee.callNames.deallocate()
        core.pointee.facts.deallocate()
        core.pointee.callFacts.deallocate()
        core.pointee.callerField.deallocate()
        core.deinitialize(count: 1)
        core.deallocate()
        instance.deallocate()
        host.deallocate()
    }

    /// Calls of the same need have the same number; host services of one contract too.
    private static func numberNeeds(_ calls: [PortCall]) -> [UInt32] {
        var numbers: [String: UInt32] = [:]
        return calls.map { call in
            let need: String
            switch call.target {
            case .feature(let feature, _, _): need = feature
            case .service(let service, _): need = service.contract
            case .refused: need = call.name
            }
            let number = numbers[need] ?? UInt32(numbers.count)
            numbers[need] = number
            return number
        }
    }

    var dispatcher: Dispatcher { core.pointee.dispatcher.takeUnretainedValue() }

    /// What `create` is given.
    public var hostTable: UnsafePointer<theatre_host> { UnsafePointer(host) }

    /// Takes over the table that `create` returned. Copies the smaller of both sizes.
    ///
    /// - Throws: INTERNAL `plugin.malformed_instance` where it is shorter than revision 0's, or a function that every
    ///   plugin has is missing.
    public func attach(_ table: UnsafePointer<theatre_instance>) throws(CallError) {
        precondition(!core.pointee.isAttached.load(ordering: .relaxed), "an instance is attached once")
        guard table.pointee.struct_size >= THEATRE_INSTANCE_SIZE_0 else {
            throw CallError(
                .internal, "plugin.malformed_instance",
                "The instance's table states \(table.pointee.struct_size) bytes; revision 0 has \(THEATRE_INSTANCE_SIZE_0)."
            )
        }
        instance.pointee = theatre_instance(copying: table)
        guard instance.pointee.invoke != nil, instance.pointee.reply != nil else {
            throw CallError(
                .internal, "plugin.malformed_instance",
                "The instance's table lacks invoke or reply; a plugin fills in both.")
        }
        core.pointee.isAttached.store(true, ordering: .releasing)
    }

    /// Index of an operation by `capability/Operation`.
    public func operation(named name: String) -> UInt32? { indexes[name] }

    // MARK: serving

    /// Makes the instance's own calls go by a table that does not serve yet, so that it can be activated beside the one
    /// that does. nil: by the one that serves.
    public func preview(_ table: DispatchTable?) {
        guarded.withLock { guarded in
            if let table { guarded.previews.append(table) }
            core.pointee.preview.store(table.map(Unmanaged.passUnretained), ordering: .releasing)
        }
    }

    var previewed: DispatchTable? { core.pointee.preview.load(ordering: .acquiring)?.takeUnretainedValue() }

    /// Lets calls in. Before, only operations marked `beforeReady` are served.
    public func open() {
        _ = core.pointee.state.compareExchange(
            expected: State.preparing.rawValue, desired: State.serving.rawValue, ordering: .acquiringAndReleasing)
    }

    /// Lets no more calls in; they are answered UNAVAILABLE `instance.closed` with this sentence.
    public func close(_ reason: String) {
        _ = refuse(CallError(.unavailable, "instance.closed", reason, retry: .safe))
    }

    /// Lets only those calls in that began before `table` served. Lets the rest go to the generation it has.
    func giveWay(to table: DispatchTable) {
        successor.store(table.number.load(ordering: .relaxed), ordering: .relaxed)
        _ = core.pointee.state.compareExchange(
            expected: State.serving.rawValue, desired: State.giving.rawValue, ordering: .sequentiallyConsistent)
    }

    /// Whether it gives way to another generation and a call by this table still belongs to it.
    func serves(callsOf table: Unmanaged<DispatchTable>) -> Bool {
        core.pointee.state.load(ordering: .sequentiallyConsistent) == State.giving.rawValue
            && table._withUnsafeGuaranteedRef { $0.number.load(ordering: .relaxed) }
                < successor.load(ordering: .relaxed)
    }

    /// Lets no more calls in after another generation took over: UNAVAILABLE `instance.retired`.
    public func retire() {
        _ = refuse(
            CallError(
                .unavailable, "instance.retired",
                "A newer generation of the instance serves; look the target up again.",
                retry: .safe))
    }

    /// Calls `body` once no call is served or made any more, at once or later, on any thread. Close or retire it first.
    public func drain(_ body: @escaping @Sendable () -> Void) {
        // The count is raised so that whoever drops it last finds `body`.
        core.pointee.load.wrappingAdd(PortLoad.outstanding, ordering: .acquiringAndReleasing)
        guarded.withLock { $0.drained.append(body) }
        core.release()
    }

    /// Calls being served, whose callers wait.
    public var callsInFlight: Int { PortLoad(raw: core.pointee.load.load(ordering: .relaxed)).inFlight }

    /// Calls served or made that may still come to the instance, with those that outlived their deadline.
    public var callsOutstanding: Int { PortLoad(raw: core.pointee.load.load(ordering: .relaxed)).outstanding }

    /// Why it serves nothing, if so.
    public var refusal: CallError? { guarded.withLock { $0.refusal } }

    /// The counters as they are.
    public func snapshot() -> InstanceSnapshot {
        InstanceSnapshot(
            instance: identity.instance, generation: identity.generation, inFlight: callsInFlight,
            orphans: orphans.load(ordering: .relaxed), late: misuses.late.total,
            double: misuses.double.total, foreign: misuses.foreign.total, malformed: misuses.malformed.total,
            operations: metrics.snapshot(), calls: callMetrics.snapshot())
    }

    /// The first refusal stays; true for it.
    private func refuse(_ error: CallError) -> Bool {
        let isFirst = guarded.withLock { guarded in
            guard guarded.refusal == nil else { return false }
            guarded.refusal = error
            return true
        }
        core.pointee.state.store(State.closed.rawValue, ordering: .sequentiallyConsistent)
        return isFirst
    }

    /// Index among the calls of an operation of the host's that routes may be bound to.
    func call(toRoutedService operation: String) -> UInt32? {
        let index = calls.firstIndex { call in
            guard call.name == operation, case .service(let service, _) = call.target else { return false }
            return service.servesRoutes
        }
        return index.map { UInt32($0) }
    }

    func quarantine(_ reason: String) {
        if refuse(CallError(.unavailable, "instance.quarantined", reason)) { hooks.onQuarantine(identity, reason) }
    }

    /// Why a call of this operation cannot be sent now; called off the hot path.
    func whyClosed() -> CallError {
        refusal
            ?? CallError(
                .unavailable, "instance.closed", "The instance is not ready yet; try again shortly.", retry: .safe)
    }

    func tellDrained() {
        let bodies = guarded.withLock { guarded in
            let bodies = guarded.drained
            guarded.drained = []
            return bodies
        }
        for body in bodies { body() }
    }
}
