// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import CTheatrePlugin
internal import Synchronization

extension Dispatcher {
    /// `theatre_host.request`.
    func request(
        from port: InstancePort, _ request: UnsafePointer<theatre_request>?, _ id: UnsafeMutablePointer<UInt64>?,
        _ error: UnsafeMutablePointer<theatre_error>?
    ) -> theatre_code {
        id?.pointee = 0
        do throws(CallError) {
            try start(port, request, id)
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
        _ port: InstancePort, _ pointer: UnsafePointer<theatre_request>?, _ id: UnsafeMutablePointer<UInt64>?
    ) throws(CallError) {
        guard let pointer, let id, pointer.pointee.struct_size >= UInt32(MemoryLayout<theatre_request>.size),
            pointer.pointee.payload.isSound, pointer.pointee.idempotency_key.isSound,
            pointer.pointee.attributes.isSound
        else {
            throw CallError(
                .invalidArgument, "call.malformed",
                "The request could not be read: a pointer is null or struct_size is too small.")
        }
        guard port.isAttached.load(ordering: .acquiring) else {
            throw CallError(
                .failedPrecondition, "call.before_create", "A plugin calls the host once create has returned.")
        }
        guard pointer.pointee.operation < UInt32(port.calls.count) else {
            throw CallError(
                .invalidArgument, "call.unknown_operation",
                "The manifest lists \(port.calls.count) calls; there is none with index \(pointer.pointee.operation).")
        }
        let above = pointer.pointee.on_behalf_of
        guard above != 0 else { return try start(port, pointer.pointee, id, parent: nil) }
        guard above & CallTable.callerSide == 0, let parent = table.pin(above) else { throw Self.parentEnded }
        do throws(CallError) {
            guard parent.pointee.callee.load(ordering: .relaxed) == address(of: port) else { throw Self.parentEnded }
            try start(port, pointer.pointee, id, parent: parent)
            // The new call keeps the pin.
        } catch {
            unpin(parent, above)
            throw error
        }
    }

    private func start(
        _ port: InstancePort, _ request: theatre_request, _ id: UnsafeMutablePointer<UInt64>, parent: SlotPointer?
    ) throws(CallError) {
        let index = Int(request.operation)
        let call = port.calls[index]
        if call.traits.hostOnly {
            throw CallError(
                .permissionDenied, "call.host_only", "Only the host may call \(call.name); remove it from calls.")
        }
        var launch = Launch(
            payload: request.payload.buffer, context: parent?.pointee.context ?? .system,
            deadline: request.deadline_ns)
        launch.key = request.idempotency_key.buffer
        launch.attempt = max(1, request.attempt)
        launch.callerField = port.callerField
        launch.caller = port
        launch.callIndex = request.operation
        launch.out = id
        if let parent {
            guard parent.pointee.depth < limits.depth else {
                throw CallError(
                    .failedPrecondition, "call.too_deep",
                    "The call is the \(limits.depth + 1)th on behalf of another; \(limits.depth) are allowed.")
            }
            launch.parent = parent
            launch.parentID = request.on_behalf_of
            launch.depth = parent.pointee.depth + 1
            launch.trace = parent.pointee.trace
            launch.holdsTransaction = call.traits.holdsTransaction
            try beginTransaction(parent, need: port.needs[index], holds: call.traits.holdsTransaction)
        }
        do throws(CallError) {
            try route(&launch, call, request.attributes.buffer)
        } catch {
            if let parent, call.traits.holdsTransaction { endTransaction(parent) }
            throw error
        }
        // The call on whose behalf this one is may have ended meanwhile, too early to know of it.
        if let parent, SlotWord(raw: parent.pointee.state.load(ordering: .sequentiallyConsistent)).phase != .live {
            cancelChildren(of: request.on_behalf_of)
        }
    }

    private func route(
        _ launch: inout Launch, _ call: PortCall, _ attributes: UnsafeRawBufferPointer
    ) throws(CallError) {
        guard let caller = launch.caller else { return }
        switch call.target {
        case .refused(let error):
            throw error
        case .service(let service, let operation):
            try serve(launch, caller, call, service, operation)
        case .feature(let feature, let operation, let fallback):
            guard let routing = (caller.previewed ?? serving).routing else { throw Self.unrouted(feature) }
            let query = RouteQuery(
                caller: caller, call: Int(launch.callIndex), feature: feature, operation: operation,
                attributes: attributes, context: launch.context)
            switch routing.resolve(query) {
            case .unavailable(let error):
                throw error
            case .single(let candidate):
                if !candidate.context.isEmpty { launch.callerField = candidate.context }
                _ = try self.launch(launch, key: launch.key, on: candidate.port, candidate.operation)
            case .ordered(let candidates, let skipped):
                try follow(&launch, caller, call, candidates, skipped, fallback: fallback)
            }
        }
    }

    private func follow(
        _ launch: inout Launch, _ caller: InstancePort, _ call: PortCall, _ candidates: [RouteCandidate],
        _ skipped: String?, fallback: Bool
    ) throws(CallError) {
        guard let first = candidates.first else { throw Self.unrouted(call.name) }
        let isUnary = !call.traits.streamsIn && !call.traits.streamsOut
        guard fallback, isUnary, candidates.count > 1 else {
            if !first.context.isEmpty { launch.callerField = first.context }
            _ = try self.launch(launch, key: launch.key, on: first.port, first.operation)
            return
        }
        let chain = FallbackCall(
            self, candidates: candidates, payload: Array(launch.payload), key: Array(launch.key),
            callerField: caller.callerField, anyEffect: call.traits.freeOfEffects, skipped: skipped)
        let (slot, id) = try answer(launch, caller, chain)
        chain.begin(
            id: id, context: launch.context, deadline: slot.pointee.deadline.load(ordering: .relaxed),
            attempt: launch.attempt, trace: slot.pointee.trace, depth: launch.depth)
        unpin(slot, id)
    }

    // MARK: the host as callee

    private func serve(
        _ launch: borrowing Launch, _ caller: InstancePort, _ call: PortCall, _ service: any HostService,
        _ operation: String
    ) throws(CallError) {
        let served = ServiceCall(self, caller.identity, launch.context, Array(launch.payload))
        let (slot, id) = try answer(launch, caller, served)
        served.begin(id, deadline: slot.pointee.deadline.load(ordering: .relaxed))
        if Trampoline.isDeep {
            Trampoline.later {
                service.serve(operation, served)
                self.unpin(slot, id)
            }
        } else {
            Trampoline.enter { service.serve(operation, served) }
            unpin(slot, id)
        }
    }

    /// Takes a slot for a call that a responder answers; pinned for the caller of this function.
    private func answer(
        _ launch: borrowing Launch, _ caller: InstancePort, _ responder: any CallResponder
    ) throws(CallError) -> (SlotPointer, UInt64) {
        guard launch.payload.count <= limits.messageSize else { throw tooLarge(launch.payload.count) }
        let facts = caller.callFacts[Int(launch.callIndex)]
        let now = clock.monotonic()
        guard let deadline = deadline(launch, facts.timeout, now) else { throw Self.expired(effect: .none) }
        guard let (slot, index) = table.take() else { throw Self.tableFull }
        slot.pointee.responder = responder
        caller.callMetrics.start(launch.callIndex)
        let id = publish(
            slot, index, launch, operation: launch.callIndex, facts: facts, began: now, deadline: deadline)
        return (slot, id)
    }

    static let parentEnded = CallError(
        .notFound, "call.ended", "The call on whose behalf this one is has ended or never was this instance's.")

    static func unrouted(_ feature: String) -> CallError {
        CallError(
            .unavailable, "route.unrouted", "No instance serves \(feature); add a route in plugins.d.", retry: .safe)
    }

    // MARK: transactions

    /// Refuses calls beside an open transaction, and notes one that begins. Need + 1 in the lower half, count above.
    private func beginTransaction(_ parent: SlotPointer, need: UInt32, holds: Bool) throws(CallError) {
        var word = parent.pointee.transaction.load(ordering: .acquiring)
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
