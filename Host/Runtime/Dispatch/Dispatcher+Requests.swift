// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import CTheatrePlugin
internal import Synchronization

extension Dispatcher {
    /// `theatre_host.request`.
    func request(
        from core: CorePointer, _ request: UnsafePointer<theatre_request>?, _ id: UnsafeMutablePointer<UInt64>?,
        _ error: UnsafeMutablePointer<theatre_error>?
    ) -> theatre_code {
        id?.pointee = 0
        do throws(CallError) {
            try start(core, request, id)
            return THEATRE_OK
        } catch let refusal {
            if let error { Self.fill(error, refusal) }
            return refusal.code.rawValue
        }
    }

    /// Fills in what the plugin's struct has room for; the texts stay until this thread's next refusal.
    private static func fill(_ error: UnsafeMutablePointer<theatre_error>, _ refusal: CallError) {
        refusal.withCError { filled in
            theatre_thread_keep_error(&filled, filled.reason, filled.message, filled.detail)
            let whole = UInt32(MemoryLayout<theatre_error>.size)
            let room = error.pointee.struct_size == 0 ? whole : min(error.pointee.struct_size, whole)
            filled.struct_size = room
            withUnsafeBytes(of: &filled) { bytes in
                if let start = bytes.baseAddress {
                    UnsafeMutableRawPointer(error).copyMemory(from: start, byteCount: Int(room))
                }
            }
        }
    }

    private func start(
        _ core: CorePointer, _ pointer: UnsafePointer<theatre_request>?, _ id: UnsafeMutablePointer<UInt64>?
    ) throws(CallError) {
        guard let pointer, let id, pointer.pointee.struct_size >= THEATRE_REQUEST_SIZE_0,
            pointer.pointee.payload.isSound, pointer.pointee.idempotency_key.isSound,
            pointer.pointee.attributes.isSound
        else {
            throw CallError(
                .invalidArgument, "call.malformed",
                "The request could not be read: a pointer is null or struct_size is too small.")
        }
        guard core.pointee.isAttached.load(ordering: .acquiring) else {
            throw CallError(
                .failedPrecondition, "call.before_create", "A plugin calls the host once create has returned.")
        }
        guard pointer.pointee.operation < core.pointee.callCount else {
            throw CallError(
                .invalidArgument, "call.unknown_operation",
                "The manifest lists \(core.pointee.callCount) calls; there is none with index \(pointer.pointee.operation)."
            )
        }
        let above = pointer.pointee.on_behalf_of
        guard above != 0 else { return try start(core, pointer, id, parent: nil, isPinned: false) }
        guard above & CallTable.callerSide == 0 else { throw Self.parentEnded }
        if let parent = invoking(above) {
            guard parent.pointee.callee.load(ordering: .relaxed) == core.address else { throw Self.parentEnded }
            return try start(core, pointer, id, parent: parent, isPinned: false)
        }
        guard let parent = table.pinAsParent(above) else { throw Self.parentEnded }
        do throws(CallError) {
            guard parent.pointee.callee.load(ordering: .relaxed) == core.address else { throw Self.parentEnded }
            try start(core, pointer, id, parent: parent, isPinned: true)
            // The new call keeps the pin.
        } catch {
            table.removeChild(parent)
            unpin(parent, above)
            throw error
        }
    }

    /// The call of `id` where this thread is just sending it, so that it needs no other pin, and its caller waits.
    @inline(__always)
    private func invoking(_ id: UInt64) -> SlotPointer? {
        let thread: ThreadPointer = theatre_thread_here()
        guard let slot = table.slot(of: id), thread.pointee.invoking == UnsafeMutableRawPointer(slot) else {
            return nil
        }
        let word = SlotWord(raw: slot.pointee.state.load(ordering: .acquiring))
        return word.generation == id >> 32 && word.phase == .live ? slot : nil
    }

    private func start(
        _ core: CorePointer, _ request: UnsafePointer<theatre_request>, _ id: UnsafeMutablePointer<UInt64>,
        parent: SlotPointer?, isPinned: Bool
    ) throws(CallError) {
        let index = Int(request.pointee.operation)
        let facts = core.pointee.callFacts[index]
        guard !facts.hostOnly else { throw Self.hostOnly(core.port.calls[index].name) }
        var launch = Launch(
            payload: request.pointee.payload.buffer,
            context: parent?.pointee.context ?? .passUnretained(.system), deadline: request.pointee.deadline_ns)
        launch.key = request.pointee.idempotency_key.buffer
        launch.attempt = max(1, request.pointee.attempt)
        launch.callerField = core.pointee.callerField
        launch.caller = core
        launch.callIndex = request.pointee.operation
        launch.out = id
        if let parent {
            guard parent.pointee.depth < limits.depth else {
                throw CallError(
                    .failedPrecondition, "call.too_deep",
                    "The call is the \(limits.depth + 1)th on behalf of another; \(limits.depth) are allowed.")
            }
            launch.parent = parent
            launch.parentID = request.pointee.on_behalf_of
            launch.isParentPinned = isPinned
            launch.depth = parent.pointee.depth + 1
            launch.trace = parent.pointee.trace
            launch.table = parent.pointee.table.load(ordering: .relaxed)
            launch.holdsTransaction = facts.holdsTransaction
            try beginTransaction(parent, core, index, holds: facts.holdsTransaction)
        }
        do throws(CallError) {
            if core.pointee.preview.load(ordering: .acquiring) == nil,
                let route = fixedRoute(of: core, launch.callIndex, launch.table),
                let callee = route.pointee.callee
            {
                launch.callerField = route.pointee.field
                _ = try self.launch(launch, key: launch.key, on: callee, route.pointee.operation)
            } else {
                try route(&launch, core.port, request.pointee.attributes.buffer)
            }
        } catch {
            if let parent, facts.holdsTransaction { endTransaction(parent) }
            throw error
        }
    }

    @inline(__always)
    private func fixedRoute(
        of core: CorePointer, _ call: UInt32, _ table: Unmanaged<DispatchTable>?
    ) -> UnsafeMutablePointer<FixedRoute>? {
        (table ?? unmanagedServing)._withUnsafeGuaranteedRef { $0.fixedRoute(of: core, call: call) }
    }

    private func route(
        _ launch: inout Launch, _ caller: InstancePort, _ attributes: UnsafeRawBufferPointer
    ) throws(CallError) {
        let call = caller.calls[Int(launch.callIndex)]
        switch call.target {
        case .refused(let error):
            throw error
        case .service(let service, let operation):
            try serve(launch, caller, attributes, service, operation)
        case .feature(let feature, let operation, let fallback):
            guard let routing = (caller.previewed ?? launch.table?.takeUnretainedValue() ?? serving).routing else {
                throw Self.unrouted(feature)
            }
            let query = RouteQuery(
                caller: caller, call: Int(launch.callIndex), feature: feature, operation: operation,
                attributes: attributes, context: launch.context.takeUnretainedValue())
            switch routing.resolve(query) {
            case .unavailable(let error):
                throw error
            case .single(let candidate) where candidate.health == nil:
                try self.launch(launch, on: candidate)
            case .single(let candidate):
                try follow(&launch, caller, call, [candidate], nil, fallback: fallback, attributes)
            case .ordered(let candidates, let skipped):
                try follow(&launch, caller, call, candidates, skipped, fallback: fallback, attributes)
            }
        }
    }

    /// Sends a call to a candidate; its context is borrowed for as long as that takes.
    private func launch(_ launch: borrowing Launch, on candidate: RouteCandidate) throws(CallError) {
        guard !candidate.context.isEmpty else {
            _ = try self.launch(launch, key: launch.key, on: candidate.port.core, candidate.operation)
            return
        }
        let refusal = candidate.context.withUnsafeBytes { field in
            do throws(CallError) {
                var named = launch.copy()
                named.callerField = field
                _ = try self.launch(named, key: named.key, on: candidate.port.core, candidate.operation)
                return CallError?.none
            } catch {
                return error
            }
        }
        if let refusal { throw refusal }
    }

    private func follow(
        _ launch: inout Launch, _ caller: InstancePort, _ call: PortCall, _ candidates: [RouteCandidate],
        _ skipped: String?, fallback: Bool, _ attributes: UnsafeRawBufferPointer
    ) throws(CallError) {
        guard let first = candidates.first else { throw Self.unrouted(call.name) }
        let chosen = fallback ? candidates : [first]
        // What a caller streams cannot be sent twice.
        guard !call.traits.streamsIn, chosen.count > 1 || first.health != nil else {
            return try self.launch(launch, on: first)
        }
        let chain = RoutedCall(
            self, need: call.name, candidates: chosen, payload: Array(launch.payload), key: Array(launch.key),
            callerField: caller.callerField, anyEffect: call.traits.freeOfEffects, skipped: skipped,
            attributes: first.metered == nil ? [] : Array(attributes))
        let (slot, id) = try answer(launch, caller, chain)
        chain.begin(
            id: id, context: launch.context.takeUnretainedValue(),
            deadline: slot.pointee.deadline.load(ordering: .relaxed),
            attempt: launch.attempt, trace: slot.pointee.trace, depth: launch.depth,
            table: slot.pointee.table.load(ordering: .relaxed))
        unpin(slot, id)
        cancelIfLate(launch)
    }

    // MARK: the host as callee

    /// A call of the gateway's to a service of the host, for a route of an instance that serves.
    func serve(_ launch: inout Launch, _ target: CallTarget) throws(CallError) -> UInt64 {
        guard case .service(let service, let operation) = target.port.calls[Int(target.operation)].target,
            target.port.refusal == nil, serving.ports[target.port.identity.instance] === target.port
        else {
            throw CallError(
                .unavailable, "instance.retired", "Another generation of the instance serves, or none.", retry: .safe)
        }
        launch.caller = target.port.core
        launch.callIndex = target.operation
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        return try serve(launch, target.port, none, service, operation)
    }

    @discardableResult
    private func serve(
        _ launch: borrowing Launch, _ caller: InstancePort, _ attributes: UnsafeRawBufferPointer,
        _ service: any HostService, _ operation: String
    ) throws(CallError) -> UInt64 {
        let context = launch.context.takeUnretainedValue()
        let served = ServiceCall(self, caller.identity, context, launch, attributes: attributes)
        let (slot, id) = try answer(launch, caller, served)
        served.begin(id, deadline: slot.pointee.deadline.load(ordering: .relaxed))
        let thread: ThreadPointer = theatre_thread_here()
        if Trampoline.isDeep(thread) {
            Trampoline.later(thread) {
                service.serve(operation, served)
                self.unpin(slot, id)
            }
        } else {
            Trampoline.enter(thread) { service.serve(operation, served) }
            unpin(slot, id)
        }
        cancelIfLate(launch)
        return id
    }

    /// Takes a slot for a call that a responder answers; pinned for the caller of this function.
    private func answer(
        _ launch: borrowing Launch, _ caller: InstancePort, _ responder: any CallResponder
    ) throws(CallError) -> (SlotPointer, UInt64) {
        guard launch.payload.count <= limits.messageSize else { throw tooLarge(launch.payload.count) }
        let facts = caller.core.pointee.callFacts[Int(launch.callIndex)]
        let thread: ThreadPointer = theatre_thread_here()
        let now = self.now(thread)
        guard let deadline = deadline(launch, facts.timeout, now) else { throw Self.expired(effect: .none) }
        guard let (slot, index) = table.take(thread) else { throw Self.tableFull }
        slot.pointee.responder = responder
        caller.callMetrics.cells.start(thread, launch.callIndex)
        slot.pointee.table.store(launch.table ?? unmanagedServing, ordering: .relaxed)
        let id = publish(
            thread, slot, index, launch, operation: launch.callIndex, facts: facts, began: now, deadline: deadline,
            keeping: true)
        return (slot, id)
    }

    private static func hostOnly(_ name: String) -> CallError {
        CallError(.permissionDenied, "call.host_only", "Only the host may call \(name); remove it from calls.")
    }

    static let parentEnded = CallError(
        .notFound, "call.ended", "The call on whose behalf this one is has ended or never was this instance's.")

    static func unrouted(_ feature: String) -> CallError {
        CallError(
            .unavailable, "route.unrouted", "No instance serves \(feature); add a route in plugins.d.", retry: .safe)
    }

    // MARK: transactions

    /// Refuses calls beside an open transaction, and notes one that begins. Need + 1 in the lower half, count above.
    private func beginTransaction(
        _ parent: SlotPointer, _ core: CorePointer, _ call: Int, holds: Bool
    ) throws(CallError) {
        var word = parent.pointee.transaction.load(ordering: .acquiring)
        guard word != 0 || holds else { return }
        let need = core.port.needs[call]
        while true {
            guard word == 0 || word & 0xffff == need + 1 else {
                throw CallError(
                    .failedPrecondition, "sql.transaction_open",
                    "A transaction is open on behalf of the call; commit it before calling anything else.")
            }
            guard holds else { return }
            let next = (word >> 16 + 1) << 16 | (need + 1)
            let (exchanged, now) = parent.pointee.transaction.compareExchange(
                expected: word, desired: next, ordering: .acquiringAndReleasing)
            if exchanged { return }
            word = now
        }
    }

    func endTransaction(_ parent: SlotPointer) {
        var word = parent.pointee.transaction.load(ordering: .acquiring)
        while word != 0 {
            let count = word >> 16
            let next = count <= 1 ? 0 : (count - 1) << 16 | word & 0xffff
            let (exchanged, now) = parent.pointee.transaction.compareExchange(
                expected: word, desired: next, ordering: .acquiringAndReleasing)
            if exchanged { return }
            word = now
        }
    }
}
