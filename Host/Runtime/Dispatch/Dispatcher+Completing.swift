// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import CTheatrePlugin
internal import Synchronization

extension Dispatcher {
    /// What became of an attempt to end a call.
    enum Finish {
        /// The caller was told.
        case delivered
        /// The caller had been told that the deadline passed.
        case late
        /// The call had ended.
        case stale
    }

    /// `theatre_host.complete`.
    func complete(
        _ id: UInt64, through core: CorePointer, _ result: UnsafePointer<theatre_result>?
    ) -> theatre_code {
        guard id & CallTable.callerSide == 0, let slot = table.slot(of: id) else {
            core.port.foreign.wrappingAdd(1, ordering: .relaxed)
            return THEATRE_NOT_FOUND
        }
        // Valid if finish() then finds the same generation; otherwise the call is stale anyway. A slot between two
        // calls has no callee.
        let callee = slot.pointee.callee.load(ordering: .relaxed)
        guard callee == core.address else {
            let isCurrent = SlotWord(raw: slot.pointee.state.load(ordering: .acquiring)).generation == id >> 32
            if isCurrent, callee != 0 {
                core.port.foreign.wrappingAdd(1, ordering: .relaxed)
            } else {
                core.port.double.wrappingAdd(1, ordering: .relaxed)
            }
            return THEATRE_NOT_FOUND
        }
        if let payload = Outcome.payload(of: result, limit: limits.messageSize) {
            let end = finish(slot, id, payload)
            return end == .delivered ? THEATRE_OK : dropped(end, core)
        }
        let read = Outcome.readFailure(result)
        let end = finish(slot, id, read)
        guard end == .delivered else { return dropped(end, core) }
        guard read == nil else { return THEATRE_OK }
        core.port.malformed.wrappingAdd(1, ordering: .relaxed)
        return THEATRE_INVALID_ARGUMENT
    }

    private func dropped(_ end: Finish, _ core: CorePointer) -> theatre_code {
        let port = core.port
        if end == .late {
            port.late.wrappingAdd(1, ordering: .relaxed)
        } else {
            port.double.wrappingAdd(1, ordering: .relaxed)
        }
        return THEATRE_NOT_FOUND
    }

    /// Ends a call with an answer: tells the caller, if it still waits, and drops the call's own pin.
    @inline(__always)
    private func finish(_ slot: SlotPointer, _ id: UInt64, _ payload: UnsafeRawBufferPointer) -> Finish {
        let generation = UInt32(truncatingIfNeeded: id >> 32)
        guard table.move(slot, generation: generation, from: .live, to: .done) else { return finishLate(slot, id) }
        settle(slot, id, THEATRE_OK)
        if mustWait(slot) {
            deliverLater(slot, id, .payload(payload), dropping: true)
        } else {
            deliverNow(slot, id, payload)
            unpin(slot, id)
        }
        return .delivered
    }

    /// Ends a call for its callee: tells the caller, if it still waits, and drops the call's own pin. nil is malformed.
    func finish(_ slot: SlotPointer, _ id: UInt64, _ outcome: Outcome?) -> Finish {
        let generation = UInt32(truncatingIfNeeded: id >> 32)
        guard table.move(slot, generation: generation, from: .live, to: .done) else { return finishLate(slot, id) }
        let outcome = outcome ?? .malformed(sideEffect: slot.pointee.flags & THEATRE_CALL_SIDE_EFFECT != 0)
        settle(slot, id, outcome.code)
        deliver(slot, id, outcome, dropping: true)
        return .delivered
    }

    private func finishLate(_ slot: SlotPointer, _ id: UInt64) -> Finish {
        let generation = UInt32(truncatingIfNeeded: id >> 32)
        guard table.move(slot, generation: generation, from: .orphan, to: .done) else { return .stale }
        port(at: slot.pointee.callee.load(ordering: .relaxed))?.orphans.wrappingSubtract(1, ordering: .relaxed)
        unpin(slot, id)
        return .late
    }

    /// Gives a call up whose deadline passed. The caller is told, the callee too; the slot waits for the callee.
    func expire(_ slot: SlotPointer, _ id: UInt64) {
        let generation = UInt32(truncatingIfNeeded: id >> 32)
        guard table.move(slot, generation: generation, from: .live, to: .orphan) else { return }
        let hasEffect = slot.pointee.flags & THEATRE_CALL_SIDE_EFFECT != 0
        let outcome = Outcome.failure(Self.expired(effect: hasEffect ? .unknown : .none))
        let callee = port(at: slot.pointee.callee.load(ordering: .relaxed))
        let count = callee?.orphans.wrappingAdd(1, ordering: .relaxed).newValue ?? 0
        callee?.metrics.cells.orphan(slot.pointee.operation)
        settle(slot, id, outcome.code)
        deliver(slot, id, outcome, dropping: false)
        tellCancelled(slot, id, THEATRE_CANCEL_DEADLINE)
        if let callee, count > callee.limits.orphanCap {
            callee.quarantine(
                "\(count) calls outlived their deadline, \(callee.limits.orphanCap) may; the instance hangs or is too slow."
            )
        }
    }

    /// Counts, frees what the call held of its caller, and gives up what was done on its behalf.
    @inline(__always)
    private func settle(_ slot: SlotPointer, _ id: UInt64, _ code: Int32) {
        let elapsed = now &- slot.pointee.began
        if let callee = core(at: slot.pointee.callee.load(ordering: .relaxed)) {
            callee.pointee.load.wrappingSubtract(PortLoad.inFlight, ordering: .relaxed)
            callee.pointee.cells.end(slot.pointee.operation, code: code, nanoseconds: elapsed)
        } else if let caller = core(at: slot.pointee.caller.load(ordering: .relaxed)) {
            caller.pointee.callCells.end(slot.pointee.callIndex, code: code, nanoseconds: elapsed)
        }
        if slot.pointee.trace.isSampled, let settings = spanSettings {
            settings._withUnsafeGuaranteedRef { record($0, slot, code, elapsed) }
        }
        let above = slot.pointee.parent.load(ordering: .relaxed)
        if above != 0, let parent = table.slot(of: above) {
            if slot.pointee.holdsTransaction { endTransaction(parent) }
            parent.pointee.children.wrappingSubtract(1, ordering: .relaxed)
        }
        if slot.pointee.children.load(ordering: .sequentiallyConsistent) > 0 { cancelChildren(of: id) }
    }

    @inline(__always)
    private func record(_ settings: SpanSettings, _ slot: SlotPointer, _ code: Int32, _ elapsed: UInt64) {
        let callee = core(at: slot.pointee.callee.load(ordering: .relaxed))
        settings.ring.push(
            SpanRecord(
                identity: slot.pointee.trace, callee: callee,
                caller: core(at: slot.pointee.caller.load(ordering: .relaxed)),
                operation: callee == nil ? slot.pointee.callIndex : slot.pointee.operation, code: code,
                began: slot.pointee.began, elapsed: elapsed, note: slot.pointee.note.map { .passRetained($0) }))
    }

    // MARK: delivery

    @inline(__always)
    private func mustWait(_ slot: SlotPointer) -> Bool {
        Trampoline.isDeep || (slot.pointee.flags & THEATRE_CALL_STREAM_OUT != 0 && Trampoline.isWaiting)
    }

    private func deliver(_ slot: SlotPointer, _ id: UInt64, _ outcome: Outcome, dropping: Bool) {
        if mustWait(slot) {
            deliverLater(slot, id, outcome, dropping: dropping)
        } else {
            deliverNow(slot, id, outcome)
            if dropping { unpin(slot, id) }
        }
    }

    private func deliverLater(_ slot: SlotPointer, _ id: UInt64, _ outcome: Outcome, dropping: Bool) {
        if !dropping { _ = slot.pointee.state.wrappingAdd(1, ordering: .relaxed) }
        switch outcome {
        case .failure:
            Trampoline.later {
                self.deliverNow(slot, id, outcome)
                self.unpin(slot, id)
            }
        case .payload(let borrowed):
            let bytes = Array(borrowed)
            Trampoline.later {
                bytes.withUnsafeBytes { self.deliverNow(slot, id, .payload($0)) }
                self.unpin(slot, id)
            }
        }
    }

    private func deliverNow(_ slot: SlotPointer, _ id: UInt64, _ outcome: Outcome) {
        switch outcome {
        case .payload(let payload): deliverNow(slot, id, payload)
        case .failure(let error): deliverNow(slot, id, error)
        }
    }

    @inline(__always)
    private func deliverNow(_ slot: SlotPointer, _ id: UInt64, _ payload: UnsafeRawBufferPointer) {
        if let sink = slot.pointee.sink {
            return Trampoline.enter { sink.complete(CallID(rawValue: id), CallResult(payload: payload)) }
        }
        guard let caller = core(at: slot.pointee.caller.load(ordering: .relaxed)),
            let function = caller.pointee.instance.pointee.reply
        else { return }
        var result = theatre_result()
        result.struct_size = UInt32(MemoryLayout<theatre_result>.size)
        result.code = THEATRE_OK
        result.payload = theatre_bytes(payload)
        _ = Trampoline.enter { function(caller.pointee.instance.pointee.`self`, id | CallTable.callerSide, &result) }
    }

    private func deliverNow(_ slot: SlotPointer, _ id: UInt64, _ error: CallError) {
        if let sink = slot.pointee.sink {
            return Trampoline.enter { sink.complete(CallID(rawValue: id), CallResult(error)) }
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
                _ = Trampoline.enter {
                    function(caller.pointee.instance.pointee.`self`, id | CallTable.callerSide, &result)
                }
            }
        }
    }

    // MARK: recycling

    /// Drops a pin, and recycles the slot where it was the last.
    @inline(__always)
    func unpin(_ slot: SlotPointer, _ id: UInt64) {
        if table.unpin(slot) { recycle(slot, id) }
    }

    @inline(__always)
    private func recycle(_ slot: SlotPointer, _ id: UInt64) {
        let callee = slot.pointee.callee.load(ordering: .relaxed)
        let caller = slot.pointee.caller.load(ordering: .relaxed)
        let above = slot.pointee.parent.load(ordering: .relaxed)
        if let owner = slot.pointee.sinkOwner {
            slot.pointee.sink = nil
            slot.pointee.sinkOwner = nil
            owner.release()
        }
        if slot.pointee.responder != nil { slot.pointee.responder = nil }
        if slot.pointee.ownsContext { slot.pointee.context?.release() }
        slot.pointee.context = nil
        if slot.pointee.note != nil { slot.pointee.note = nil }
        slot.pointee.callee.store(0, ordering: .relaxed)
        slot.pointee.caller.store(0, ordering: .relaxed)
        slot.pointee.parent.store(0, ordering: .relaxed)
        let index = UInt32(truncatingIfNeeded: id & (CallTable.callerSide - 1))
        table.give(slot, index: index, generation: UInt32(truncatingIfNeeded: id >> 32))
        core(at: callee)?.release()
        core(at: caller)?.release()
        if above != 0, let parent = table.slot(of: above) { unpin(parent, above) }
    }
}
