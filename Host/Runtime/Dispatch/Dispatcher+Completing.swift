// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import CTheatrePlugin
internal import Synchronization

extension Dispatcher {
    /// What became of an attempt to end a call.
    enum Finish: Equatable {
        /// The caller was told.
        case delivered
        /// The caller had been told that the deadline passed, so many nanoseconds before.
        case late(operation: UInt32, after: UInt64)
        /// The call had ended.
        case stale
    }

    /// `theatre_host.complete`.
    func complete(
        _ id: UInt64, through core: CorePointer, _ result: UnsafePointer<theatre_result>?
    ) -> theatre_code {
        guard id & CallTable.callerSide == 0, let slot = table.slot(of: id) else {
            core.port.noteForeign()
            return THEATRE_NOT_FOUND
        }
        // Valid if finish() then finds the same generation; otherwise the call is stale anyway. A slot between two
        // calls has no callee.
        let callee = slot.pointee.callee.load(ordering: .relaxed)
        guard callee == core.address else {
            let isCurrent = SlotWord(raw: slot.pointee.state.load(ordering: .acquiring)).generation == id >> 32
            if isCurrent, callee != 0 {
                core.port.noteForeign()
            } else {
                core.port.noteDouble(nil)
            }
            return THEATRE_NOT_FOUND
        }
        if let payload = Outcome.payload(of: result, limit: limits.messageSize) {
            let end = finish(slot, id, payload)
            if case .delivered = end { return THEATRE_OK }
            return dropped(end, slot, id, core)
        }
        let operation = slot.pointee.operation.load(ordering: .relaxed)
        let read = Outcome.readFailure(result)
        let end = finish(slot, id, read)
        guard case .delivered = end else { return dropped(end, slot, id, core) }
        guard read == nil else { return THEATRE_OK }
        core.port.noteMalformed(operation, Outcome.flaw(of: result, limit: limits.messageSize))
        return THEATRE_INVALID_ARGUMENT
    }

    @inline(never)
    private func dropped(_ end: Finish, _ slot: SlotPointer, _ id: UInt64, _ core: CorePointer) -> theatre_code {
        switch end {
        case .late(let operation, let nanoseconds): core.port.noteLate(operation, after: nanoseconds)
        default: core.port.noteDouble(operation(of: slot, id))
        }
        return THEATRE_NOT_FOUND
    }

    /// The operation of a call that may have ended; nil where its slot has been given on.
    func operation(of slot: SlotPointer, _ id: UInt64) -> UInt32? {
        let operation = slot.pointee.operation.load(ordering: .acquiring)
        let generation = SlotWord(raw: slot.pointee.state.load(ordering: .acquiring)).generation
        return generation == UInt32(truncatingIfNeeded: id >> 32) ? operation : nil
    }

    /// Ends a call with an answer: tells the caller, if it still waits, and drops the call's own pin.
    @inline(__always)
    private func finish(_ slot: SlotPointer, _ id: UInt64, _ payload: UnsafeRawBufferPointer) -> Finish {
        let generation = UInt32(truncatingIfNeeded: id >> 32)
        guard let word = table.move(slot, generation: generation, from: .live, to: .done) else {
            return finishLate(slot, id)
        }
        let thread: ThreadPointer = theatre_thread_here()
        settle(thread, slot, id, word, THEATRE_OK)
        if mustWait(thread, slot) {
            deliverLater(thread, slot, id, .payload(payload), dropping: true)
        } else {
            // Of a call that is done, no new pin is taken: with its own alone, the slot is this thread's.
            let isAlone = word.pins == 1
            deliverNow(thread, slot, id, payload, isAlone: isAlone)
            if isAlone { recycle(thread, slot, id) } else { drop(thread, slot, id) }
        }
        return .delivered
    }

    /// Ends a call for its callee: tells the caller, if it still waits, and drops the call's own pin. nil is malformed.
    func finish(_ slot: SlotPointer, _ id: UInt64, _ outcome: Outcome?) -> Finish {
        let generation = UInt32(truncatingIfNeeded: id >> 32)
        guard let word = table.move(slot, generation: generation, from: .live, to: .done) else {
            return finishLate(slot, id)
        }
        let thread: ThreadPointer = theatre_thread_here()
        let outcome = outcome ?? .malformed(sideEffect: slot.pointee.flags & THEATRE_CALL_SIDE_EFFECT != 0)
        settle(thread, slot, id, word, outcome.code)
        deliver(thread, slot, id, outcome, dropping: true)
        return .delivered
    }

    private func finishLate(_ slot: SlotPointer, _ id: UInt64) -> Finish {
        let generation = UInt32(truncatingIfNeeded: id >> 32)
        guard table.move(slot, generation: generation, from: .orphan, to: .done) != nil else { return .stale }
        port(at: slot.pointee.callee.load(ordering: .relaxed))?.orphans.wrappingSubtract(1, ordering: .relaxed)
        let operation = slot.pointee.operation.load(ordering: .relaxed)
        let now = clock.monotonic(), deadline = slot.pointee.deadline.load(ordering: .relaxed)
        drop(theatre_thread_here(), slot, id)
        return .late(operation: operation, after: now > deadline ? now - deadline : 0)
    }

    /// Gives a call up whose deadline passed. The caller is told, the callee too; the slot waits for the callee.
    func expire(_ slot: SlotPointer, _ id: UInt64) {
        let generation = UInt32(truncatingIfNeeded: id >> 32)
        guard let word = table.move(slot, generation: generation, from: .live, to: .orphan) else { return }
        let thread: ThreadPointer = theatre_thread_here()
        let hasEffect = slot.pointee.flags & THEATRE_CALL_SIDE_EFFECT != 0
        let outcome = Outcome.failure(Self.expired(effect: hasEffect ? .unknown : .none))
        let callee = port(at: slot.pointee.callee.load(ordering: .relaxed))
        let count = callee?.orphans.wrappingAdd(1, ordering: .relaxed).newValue ?? 0
        let operation = slot.pointee.operation.load(ordering: .relaxed)
        let deadline = slot.pointee.deadline.load(ordering: .relaxed), began = slot.pointee.began
        callee?.metrics.cells.orphan(operation)
        callee?.noteNever(operation, after: deadline > began ? deadline - began : 0, open: count)
        settle(thread, slot, id, word, outcome.code)
        deliver(thread, slot, id, outcome, dropping: false)
        tellCancelled(slot, id, THEATRE_CANCEL_DEADLINE)
        if let callee, count > callee.limits.orphanCap {
            callee.quarantine(
                "\(count) calls outlived their deadline, \(callee.limits.orphanCap) may; the instance hangs or is too slow."
            )
        }
    }

    /// Drops the call's own pin, once it has ended and was told. Where this thread is just sending the call, it is the
    /// sender who does: without an atomic operation, as nobody else refers to it.
    @inline(__always)
    private func drop(_ thread: ThreadPointer, _ slot: SlotPointer, _ id: UInt64) {
        if thread.pointee.invoking == UnsafeMutableRawPointer(slot) {
            thread.pointee.has_ended = 1
        } else {
            unpin(slot, id)
        }
    }

    /// Counts, frees what the call held of its caller, and gives up what was done on its behalf.
    ///
    /// - Parameter word: the call's state as it was until it ended.
    @inline(__always)
    private func settle(_ thread: ThreadPointer, _ slot: SlotPointer, _ id: UInt64, _ word: SlotWord, _ code: Int32) {
        // It may have begun on a thread whose clock is a little ahead.
        let now = self.now(thread), began = slot.pointee.began
        let elapsed = now > began ? now - began : 0
        let callee = core(at: slot.pointee.callee.load(ordering: .relaxed))
        if let callee {
            callee.pointee.load.wrappingSubtract(PortLoad.inFlight, ordering: .relaxed)
            callee.pointee.cells.end(
                thread, slot.pointee.operation.load(ordering: .relaxed), code: code, nanoseconds: elapsed)
        } else if let caller = core(at: slot.pointee.caller.load(ordering: .relaxed)) {
            caller.pointee.callCells.end(thread, slot.pointee.callIndex, code: code, nanoseconds: elapsed)
        }
        if slot.pointee.trace.isSampled, let settings = spanSettings {
            settings._withUnsafeGuaranteedRef { record(thread, $0, slot, callee, code, elapsed) }
        }
        let above = slot.pointee.parent.load(ordering: .relaxed)
        if above != 0, let parent = table.slot(of: above) {
            if slot.pointee.holdsTransaction { endTransaction(parent) }
            if word.isCounted { table.removeChild(parent) }
        }
        if word.children > 0 { cancelChildren(of: id) }
    }

    @inline(__always)
    private func record(
        _ thread: ThreadPointer, _ settings: SpanSettings, _ slot: SlotPointer, _ callee: CorePointer?, _ code: Int32,
        _ elapsed: UInt64
    ) {
        guard let core = callee ?? core(at: slot.pointee.caller.load(ordering: .relaxed)) else { return }
        settings.ring.push(
            thread,
            SpanRecord(
                identity: slot.pointee.trace, core: core,
                operation: callee == nil ? slot.pointee.callIndex : slot.pointee.operation.load(ordering: .relaxed),
                isHosts: callee == nil,
                code: code, began: slot.pointee.began, elapsed: elapsed,
                note: slot.pointee.note.map { .passRetained($0) }))
    }

    // MARK: delivery

    @inline(__always)
    private func mustWait(_ thread: ThreadPointer, _ slot: SlotPointer) -> Bool {
        Trampoline.isDeep(thread)
            || (slot.pointee.flags & THEATRE_CALL_STREAM_OUT != 0 && Trampoline.isWaiting(thread))
    }

    private func deliver(
        _ thread: ThreadPointer, _ slot: SlotPointer, _ id: UInt64, _ outcome: Outcome, dropping: Bool
    ) {
        if mustWait(thread, slot) {
            deliverLater(thread, slot, id, outcome, dropping: dropping)
        } else {
            deliverNow(thread, slot, id, outcome)
            if dropping { drop(thread, slot, id) }
        }
    }

    private func deliverLater(
        _ thread: ThreadPointer, _ slot: SlotPointer, _ id: UInt64, _ outcome: Outcome, dropping: Bool
    ) {
        if !dropping { _ = slot.pointee.state.wrappingAdd(SlotWord.pin, ordering: .relaxed) }
        switch outcome {
        case .failure:
            Trampoline.later(thread) {
                self.deliverNow(theatre_thread_here(), slot, id, outcome)
                self.unpin(slot, id)
            }
        case .payload(let borrowed):
            let bytes = Array(borrowed)
            Trampoline.later(thread) {
                bytes.withUnsafeBytes { self.deliverNow(theatre_thread_here(), slot, id, .payload($0)) }
                self.unpin(slot, id)
            }
        }
    }

    private func deliverNow(_ thread: ThreadPointer, _ slot: SlotPointer, _ id: UInt64, _ outcome: Outcome) {
        switch outcome {
        case .payload(let payload): deliverNow(thread, slot, id, payload, isAlone: false)
        case .failure(let error): deliverNow(thread, slot, id, error)
        }
    }

    @inline(__always)
    private func deliverNow(
        _ thread: ThreadPointer, _ slot: SlotPointer, _ id: UInt64, _ payload: UnsafeRawBufferPointer, isAlone: Bool
    ) {
        // What nobody else can be using any more is taken along, not counted once more.
        if isAlone, let sink = slot.pointee.keptSink.take() {
            slot.pointee.sink = nil
            return Trampoline.enter(thread) { sink.complete(CallID(rawValue: id), CallResult(payload: payload)) }
        }
        if let sink = slot.pointee.sink {
            return Trampoline.enter(thread) { sink.complete(CallID(rawValue: id), CallResult(payload: payload)) }
        }
        guard let caller = core(at: slot.pointee.caller.load(ordering: .relaxed)),
            let function = caller.pointee.instance.pointee.reply
        else { return }
        var result = theatre_result()
        result.struct_size = UInt32(MemoryLayout<theatre_result>.size)
        result.code = THEATRE_OK
        result.payload = theatre_bytes(payload)
        _ = Trampoline.enter(thread) {
            function(caller.pointee.instance.pointee.`self`, id | CallTable.callerSide, &result)
        }
    }

    private func deliverNow(
        _ thread: ThreadPointer, _ slot: SlotPointer, _ id: UInt64, _ error: CallError
    ) {
        if let sink = slot.pointee.sink {
            return Trampoline.enter(thread) { sink.complete(CallID(rawValue: id), CallResult(error)) }
        }
        guard let caller = core(at: slot.pointee.caller.load(ordering: .relaxed)),
            let function = caller.pointee.instance.pointee.reply
        else { return }
        var result = theatre_result()
        result.struct_size = UInt32(MemoryLayout<theatre_result>.size)
        result.code = error.code.rawValue
        error.withCError { cError in
            withUnsafePointer(to: &cError) { pointer in
                result.error = pointer
                _ = Trampoline.enter(thread) {
                    function(caller.pointee.instance.pointee.`self`, id | CallTable.callerSide, &result)
                }
            }
        }
    }

    // MARK: recycling

    /// Drops a pin, and recycles the slot where it was the last.
    @inline(__always)
    func unpin(_ slot: SlotPointer, _ id: UInt64) {
        if table.unpin(slot) { recycle(theatre_thread_here(), slot, id) }
    }

    /// Makes a slot free that nobody else refers to.
    func recycle(_ thread: ThreadPointer, _ slot: SlotPointer, _ id: UInt64) {
        let callee = slot.pointee.callee.load(ordering: .relaxed)
        let caller = slot.pointee.caller.load(ordering: .relaxed)
        let above = slot.pointee.parent.load(ordering: .relaxed)
        let pinsParent = slot.pointee.pinsParent
        slot.pointee.sink = nil
        if slot.pointee.keptSink != nil { slot.pointee.keptSink = nil }
        if slot.pointee.responder != nil { slot.pointee.responder = nil }
        if slot.pointee.ownsContext {
            slot.pointee.context?.release()
            slot.pointee.ownsContext = false
        }
        slot.pointee.context = nil
        if slot.pointee.note != nil { slot.pointee.note = nil }
        slot.pointee.callee.store(0, ordering: .relaxed)
        slot.pointee.caller.store(0, ordering: .relaxed)
        slot.pointee.parent.store(0, ordering: .relaxed)
        let index = UInt32(truncatingIfNeeded: id & (CallTable.callerSide - 1))
        table.give(thread, slot, index: index, generation: UInt32(truncatingIfNeeded: id >> 32))
        core(at: callee)?.release()
        if above == 0 { core(at: caller)?.release() }
        if pinsParent, let parent = table.slot(of: above) { unpin(parent, above) }
    }
}
