// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import CTheatrePlugin
internal import Synchronization

extension Dispatcher {
    /// Sends a call to an instance; its id. Throws where nothing was sent.
    func launch(
        _ launch: borrowing Launch, key: UnsafeRawBufferPointer, on core: CorePointer, _ operation: UInt32
    ) throws(CallError) -> UInt64 {
        guard launch.payload.count <= limits.messageSize else { throw tooLarge(launch.payload.count) }
        let facts = core.pointee.facts[Int(operation)]
        // Before the state is looked at: a port that serves now is in this table.
        let serving = launch.table ?? unmanagedServing
        let (_, load) = core.pointee.load.wrappingAdd(
            PortLoad.outstanding | PortLoad.inFlight, ordering: .sequentiallyConsistent)
        let state = core.pointee.state.load(ordering: .sequentiallyConsistent)
        guard
            state == InstancePort.State.serving.rawValue || (state == 0 && facts.beforeReady)
                || stillServes(core, serving)
        else {
            giveUp(core)
            return try launchElsewhere(launch, key: key, insteadOf: core, operation, serving)
        }
        guard PortLoad(raw: load).inFlight <= core.pointee.maxConcurrency else {
            giveUp(core)
            throw Self.busy(core)
        }
        let thread: ThreadPointer = theatre_thread_here()
        let now = self.now(thread)
        guard let deadline = deadline(launch, facts.timeout, now) else {
            giveUp(core)
            throw Self.expired(effect: .none)
        }
        guard let (slot, index) = table.take(thread) else {
            giveUp(core)
            throw Self.tableFull
        }
        slot.pointee.callee.store(core.address, ordering: .relaxed)
        slot.pointee.table.store(serving, ordering: .relaxed)
        let isDeep = Trampoline.isDeep(thread)
        let id = publish(
            thread, slot, index, launch, operation: operation, facts: facts, began: now, deadline: deadline,
            keeping: isDeep)
        core.pointee.cells.start(thread, operation)
        if isDeep {
            invokeLater(thread, slot, id, core, launch, key)
            cancelIfLate(launch)
        } else {
            invokeNow(thread, slot, id, core, launch, key)
        }
        return id
    }

    /// Sends a call. What it refers to is borrowed until the instance's function has returned; where the call has ended
    /// by then, as calls that are answered inline have, nothing was counted and nobody else refers to the slot.
    @inline(__always)
    private func invokeNow(
        _ thread: ThreadPointer, _ slot: SlotPointer, _ id: UInt64, _ core: CorePointer, _ launch: borrowing Launch,
        _ key: UnsafeRawBufferPointer
    ) {
        let outer = thread.pointee.invoking, hadEnded = thread.pointee.has_ended
        thread.pointee.invoking = UnsafeMutableRawPointer(slot)
        thread.pointee.has_ended = 0
        invoke(thread, slot, id, core, launch.payload, key, launch.attempt, launch.callerField)
        let pins: UInt32 = thread.pointee.has_ended != 0 ? 2 : 1
        thread.pointee.invoking = outer
        thread.pointee.has_ended = hadEnded
        // Of a call that is done, no new pin is taken: with no other left, it is this thread's alone.
        let word = SlotWord(raw: slot.pointee.state.load(ordering: .acquiring))
        if word.phase == .done, word.pins == pins { return recycle(thread, slot, id) }
        if pins == 2 { _ = table.unpin(slot) }
        keep(slot, launch)
        // The parent counts it in the same step in which it is known not to have ended: who ends it takes it off again.
        let isCounted = launch.parent != nil
        if !table.leave(slot, isCounted: isCounted) {
            if let parent = launch.parent, !launch.isParentPinned { table.removeChild(parent) }
            return unpin(slot, id)
        }
        cancelIfLate(launch)
    }

    /// The call on whose behalf another was sent may have ended meanwhile, too early to know of it: one of both threads
    /// sees what the other wrote, that one the new call, or this one the end.
    func cancelIfLate(_ launch: borrowing Launch) {
        guard let parent = launch.parent else { return }
        if SlotWord(raw: parent.pointee.state.load(ordering: .sequentiallyConsistent)).phase != .live {
            cancelChildren(of: launch.parentID)
        }
    }

    private func giveUp(_ core: CorePointer) {
        core.pointee.load.wrappingSubtract(PortLoad.inFlight, ordering: .relaxed)
        core.release()
    }

    private static func busy(_ core: CorePointer) -> CallError {
        let port = core.port
        return CallError(
            .resourceExhausted, "instance.busy",
            "Instance \(port.identity.instance) serves \(port.limits.maxConcurrency) calls already; try again shortly.",
            retry: .safe)
    }

    /// The earliest of what the caller, its own caller and the operation say; nil where it has passed.
    @inline(__always)
    func deadline(_ launch: borrowing Launch, _ standard: UInt64, _ now: UInt64) -> UInt64? {
        let timeout = launch.timeout != 0 ? launch.timeout : standard
        var deadline =
            launch.deadline != 0 ? launch.deadline : now &+ (timeout != 0 ? timeout : limits.defaultTimeout)
        if let parent = launch.parent { deadline = min(deadline, parent.pointee.deadline.load(ordering: .relaxed)) }
        return deadline > now ? deadline : nil
    }

    /// Fills a slot and makes it live, with one pin for the call and one for the thread that starts it.
    ///
    /// - Parameter keeping: the call refers to nothing that is only borrowed.
    @inline(__always)
    func publish(
        _ thread: ThreadPointer, _ slot: SlotPointer, _ index: UInt32, _ launch: borrowing Launch, operation: UInt32,
        facts: OperationFacts, began: UInt64, deadline: UInt64, keeping: Bool
    ) -> UInt64 {
        let generation = SlotWord(raw: slot.pointee.state.load(ordering: .relaxed)).generation
        let id = UInt64(generation) << 32 | UInt64(index)
        slot.pointee.deadline.store(deadline, ordering: .relaxed)
        slot.pointee.parent.store(launch.parentID, ordering: .relaxed)
        slot.pointee.caller.store(launch.caller?.address ?? 0, ordering: .relaxed)
        slot.pointee.transaction.store(0, ordering: .relaxed)
        slot.pointee.isCancelled.store(false, ordering: .relaxed)
        if facts.flags & (THEATRE_CALL_STREAM_IN | THEATRE_CALL_STREAM_OUT) != 0 {
            slot.pointee.creditIn.store(Int64(THEATRE_STREAM_CREDIT), ordering: .relaxed)
            slot.pointee.creditOut.store(Int64(THEATRE_STREAM_CREDIT), ordering: .relaxed)
            slot.pointee.seqIn.store(0, ordering: .relaxed)
            slot.pointee.seqOut.store(0, ordering: .relaxed)
        }
        slot.pointee.flags = facts.flags
        slot.pointee.operation.store(operation, ordering: .relaxed)
        slot.pointee.callIndex = launch.callIndex
        slot.pointee.depth = launch.depth
        slot.pointee.holdsTransaction = launch.holdsTransaction
        slot.pointee.began = began
        slot.pointee.sink = launch.sink
        slot.pointee.context = launch.context
        slot.pointee.pinsParent = launch.isParentPinned
        slot.pointee.trace =
            spanSettings?._withUnsafeGuaranteedRef { $0.identity(thread, below: launch.trace) } ?? SpanIdentity()
        if let note = launch.note { slot.pointee.note = note }
        if let caller = launch.caller {
            // A parent is one that the caller serves, and keeps it.
            if launch.parent == nil { caller.pointee.load.wrappingAdd(PortLoad.outstanding, ordering: .relaxed) }
            launch.out?.pointee = id | CallTable.callerSide
        }
        var isCounted = launch.isParentPinned
        if keeping {
            keep(slot, launch)
            isCounted = launch.parent != nil
        }
        let word = SlotWord(generation: generation, phase: .live, pins: 2, isCounted: isCounted)
        if keeping {
            // Whoever keeps a call from the start looks at its parent next: cancelIfLate.
            slot.pointee.state.store(word.raw, ordering: .sequentiallyConsistent)
        } else {
            slot.pointee.state.store(word.raw, ordering: .releasing)
        }
        return id
    }

    /// Keeps what the call refers to until it is recycled. A context that the parent keeps is not counted again, nor the one
    /// that lives for ever.
    @inline(__always)
    private func keep(_ slot: SlotPointer, _ launch: borrowing Launch) {
        if let sink = launch.sink { slot.pointee.keptSink = sink }
        let context = launch.context.toOpaque()
        if context != systemContext, launch.parent?.pointee.context?.toOpaque() != context {
            _ = launch.context.retain()
            slot.pointee.ownsContext = true
        }
        if let parent = launch.parent, !launch.isParentPinned {
            table.addChild(parent)
            slot.pointee.pinsParent = true
        }
    }

    // MARK: invoke

    private func invokeLater(
        _ thread: ThreadPointer, _ slot: SlotPointer, _ id: UInt64, _ core: CorePointer, _ launch: borrowing Launch,
        _ key: UnsafeRawBufferPointer
    ) {
        let stored = StoredRequest(payload: Array(launch.payload), key: Array(key))
        let attempt = launch.attempt
        let field = launch.callerField.map { Array($0) }
        Trampoline.later(thread) {
            let thread: ThreadPointer = theatre_thread_here()
            stored.payload.withUnsafeBytes { payload in
                stored.key.withUnsafeBytes { key in
                    guard let field else {
                        return self.invoke(thread, slot, id, core, payload, key, attempt, nil)
                    }
                    field.withUnsafeBytes { self.invoke(thread, slot, id, core, payload, key, attempt, $0) }
                }
            }
            self.unpin(slot, id)
        }
    }

    @inline(__always)
    private func invoke(
        _ thread: ThreadPointer, _ slot: SlotPointer, _ id: UInt64, _ core: CorePointer,
        _ payload: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer, _ attempt: UInt32,
        _ callerField: UnsafeRawBufferPointer?
    ) {
        let instance = core.pointee.instance
        guard let function = instance.pointee.invoke, let context = slot.pointee.context else { return }
        var request = theatre_request()
        request.struct_size = UInt32(MemoryLayout<theatre_request>.size)
        request.operation = slot.pointee.operation.load(ordering: .relaxed)
        request.call = id
        request.payload = theatre_bytes(payload)
        request.deadline_ns = slot.pointee.deadline.load(ordering: .relaxed)
        request.attempt = attempt
        request.flags = slot.pointee.flags
        request.idempotency_key = theatre_bytes(key)
        let code: theatre_code
        if callerField == nil, !slot.pointee.trace.isSampled {
            request.context = theatre_bytes(context._withUnsafeGuaranteedRef { $0.hostBytes })
            code = Trampoline.enter(thread) { function(instance.pointee.`self`, &request) }
        } else {
            let head = context._withUnsafeGuaranteedRef { callerField == nil ? $0.hostBytes : $0.head }
            let tail = callerField ?? UnsafeRawBufferPointer(start: nil, count: 0)
            let owesAnswer = slot.pointee.depth <= Self.answeringDepth
            code = withContext(head, slot.pointee.trace, tail, owesAnswer: owesAnswer) { bytes in
                request.context = theatre_bytes(bytes)
                return Trampoline.enter(thread) { function(instance.pointee.`self`, &request) }
            }
        }
        if code != THEATRE_OK { rejected(slot, id, core.port, code) }
    }

    /// How deep `answer_required` reaches: the instance that a route calls owes its answer, and pays it with a call of
    /// its own to where it commits. What others do on its behalf is theirs, with no claim on the answer.
    private static let answeringDepth: UInt32 = 2

    /// `head`, the traceparent where it is sampled, and `tail`, in one piece.
    @inline(__always)
    private func withContext(
        _ head: UnsafeRawBufferPointer, _ trace: SpanIdentity, _ tail: UnsafeRawBufferPointer, owesAnswer: Bool,
        _ body: (UnsafeRawBufferPointer) -> theatre_code
    ) -> theatre_code {
        let size =
            head.count + tail.count + (trace.isSampled ? SpanIdentity.fieldSize : 0)
            + (owesAnswer ? 0 : CallContext.noAnswerSize)
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: max(1, size)) { buffer in
            guard var out = buffer.baseAddress else { return THEATRE_INTERNAL }
            if let start = head.baseAddress {
                UnsafeMutableRawPointer(out).copyMemory(from: start, byteCount: head.count)
                out += head.count
            }
            if trace.isSampled {
                trace.writeField(to: out)
                out += SpanIdentity.fieldSize
            }
            if let start = tail.baseAddress {
                UnsafeMutableRawPointer(out).copyMemory(from: start, byteCount: tail.count)
                out += tail.count
            }
            if !owesAnswer { CallContext.writeNoAnswer(to: out) }
            return body(UnsafeRawBufferPointer(start: buffer.baseAddress, count: size))
        }
    }

    /// The instance did nothing and will not complete the call.
    private func rejected(_ slot: SlotPointer, _ id: UInt64, _ port: InstancePort, _ raw: Int32) {
        let code = StatusCode(lenient: raw)
        let isPassing = code == .resourceExhausted || code == .unavailable
        let number = StatusCode(rawValue: raw) == nil ? " (Its code was \(raw).)" : ""
        let error = CallError(
            code, "plugin.rejected", "Instance \(port.identity.instance) did not accept the call.\(number)",
            retry: isPassing ? .safe : .never)
        if finish(slot, id, .failure(error)) == .stale { port.noteDouble(operation(of: slot, id)) }
    }

    // MARK: refusals

    func tooLarge(_ size: Int) -> CallError {
        CallError(
            .invalidArgument, "call.too_large",
            "The message has \(size) bytes, \(limits.messageSize) are allowed; send what is larger as a stream.")
    }

    static func expired(effect: CallError.Effect) -> CallError {
        CallError(
            .deadlineExceeded, "call.deadline", "The call did not end before its deadline.", effect: effect,
            retry: effect == .none ? .safe : .never)
    }

    static let tableFull = CallError(
        .resourceExhausted, "call.table_full", "The host carries as many calls as it can; try again shortly.",
        retry: .safe)

    @inline(__always)
    func address(of port: InstancePort) -> UInt {
        port.core.address
    }

    /// The port at an address that a slot holds; ports live as long as the dispatcher.
    @inline(__always)
    func port(at address: UInt) -> InstancePort? {
        core(at: address)?.port
    }

    /// The core at an address that a slot holds.
    @inline(__always)
    func core(at address: UInt) -> CorePointer? { CorePointer(bitPattern: address) }
}
