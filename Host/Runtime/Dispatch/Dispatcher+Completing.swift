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
        _ id: UInt64, through port: InstancePort, _ result: UnsafePointer<theatre_result>?
    ) -> theatre_code {
        guard id & CallTable.callerSide == 0, let slot = table.slot(of: id) else {
            port.foreign.wrappingAdd(1, ordering: .relaxed)
            return THEATRE_NOT_FOUND
        }
        // Valid if finish() then finds the same generation; otherwise the call is stale anyway. A slot between two
        // calls has no callee.
        let callee = slot.pointee.callee.load(ordering: .relaxed)
        guard callee == address(of: port) else {
            let isCurrent = SlotWord(raw: slot.pointee.state.load(ordering: .acquiring)).generation == id >> 32
            if isCurrent, callee != 0 {
                port.foreign.wrappingAdd(1, ordering: .relaxed)
            } else {
                port.double.wrappingAdd(1, ordering: .relaxed)
            }
            return THEATRE_NOT_FOUND
        }
        let read = Outcome.read(result, limit: limits.messageSize)
        switch finish(slot, id, read) {
        case .delivered:
            guard read == nil else { return THEATRE_OK }
            port.malformed.wrappingAdd(1, ordering: .relaxed)
            return THEATRE_INVALID_ARGUMENT
        case .late:
            port.late.wrappingAdd(1, ordering: .relaxed)
        case .stale:
            port.double.wrappingAdd(1, ordering: .relaxed)
        }
        return THEATRE_NOT_FOUND
    }

    /// Ends a call for its callee: tells the caller, if it still waits, and drops the call's own pin. nil is malformed.
    func finish(_ slot: SlotPointer, _ id: UInt64, _ outcome: Outcome?) -> Finish {
        let generation = UInt32(truncatingIfNeeded: id >> 32)
        if table.move(slot, generation: generation, from: .live, to: .done) {
            let outcome =
                outcome ?? .malformed(sideEffect: slot.pointee.flags & THEATRE_CALL_SIDE_EFFECT != 0)
            settle(slot, id, outcome)
            deliver(slot, id, outcome, dropping: true)
            return .delivered
        }
        if table.move(slot, generation: generation, from: .orphan, to: .done) {
            if let port = port(at: slot.pointee.callee.load(ordering: .relaxed)) {
                port.orphans.wrappingSubtract(1, ordering: .relaxed)
            }
            unpin(slot, id)
            return .late
        }
        return .stale
    }

    /// Gives a call up whose deadline passed. The caller is told, the callee too; the slot waits for the callee.
    func expire(_ slot: SlotPointer, _ id: UInt64) {
        let generation = UInt32(truncatingIfNeeded: id >> 32)
        guard table.move(slot, generation: generation, from: .live, to: .orphan) else { return }
        let hasEffect = slot.pointee.flags & THEATRE_CALL_SIDE_EFFECT != 0
        let outcome = Outcome.failure(Self.expired(effect: hasEffect ? .unknown : .none))
        let callee = port(at: slot.pointee.callee.load(ordering: .relaxed))
        let count = callee?.orphans.wrappingAdd(1, ordering: .relaxed).newValue ?? 0
        callee?.metrics.orphan(slot.pointee.operation)
        settle(slot, id, outcome)
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
    private func settle(_ slot: SlotPointer, _ id: UInt64, _ outcome: Outcome) {
        let now = clock.monotonic()
        let code = outcome.code
        let elapsed = now &- slot.pointee.began
        let isServed: Void? = with(portAt: slot.pointee.callee.load(ordering: .relaxed)) { callee in
            callee.inFlight.wrappingSubtract(1, ordering: .relaxed)
            callee.metrics.end(slot.pointee.operation, code: code, nanoseconds: elapsed)
        }
        if isServed == nil {
            _ = with(portAt: slot.pointee.caller.load(ordering: .relaxed)) { caller in
                caller.callMetrics.end(slot.pointee.callIndex, code: code, nanoseconds: elapsed)
            }
        }
        if slot.pointee.trace.isSampled, let settings = spanSettings {
            settings._withUnsafeGuaranteedRef { export($0, slot, code, elapsed) }
        }
        let above = slot.pointee.parent.load(ordering: .relaxed)
        if above != 0, let parent = table.slot(of: above) {
            if slot.pointee.holdsTransaction { endTransaction(parent) }
            parent.pointee.children.wrappingSubtract(1, ordering: .relaxed)
        }
        if slot.pointee.children.load(ordering: .sequentiallyConsistent) > 0 { cancelChildren(of: id) }
    }

    private func export(
        _ settings: SpanSettings, _ slot: SlotPointer, _ code: Int32, _ elapsed: UInt64
    ) {
        let callee = port(at: slot.pointee.callee.load(ordering: .relaxed))
        let name: String
        if let callee {
            name = callee.operations[Int(slot.pointee.operation)].name
        } else {
            name = port(at: slot.pointee.caller.load(ordering: .relaxed))?.calls[Int(slot.pointee.callIndex)].name ?? ""
        }
        settings.exporter.export(
            Span(
                identity: slot.pointee.trace, instance: callee?.identity.instance ?? "host",
                generation: callee?.identity.generation ?? 0, operation: name, startNanoseconds: slot.pointee.began,
                durationNanoseconds: elapsed, code: StatusCode(lenient: code), note: slot.pointee.note))
    }

    // MARK: delivery

    @inline(__always)
    private func deliver(_ slot: SlotPointer, _ id: UInt64, _ outcome: Outcome, dropping: Bool) {
        let mustWait = Trampoline.isDeep || (slot.pointee.flags & THEATRE_CALL_STREAM_OUT != 0 && Trampoline.isWaiting)
        if mustWait {
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

    @inline(__always)
    private func deliverNow(_ slot: SlotPointer, _ id: UInt64, _ outcome: Outcome) {
        if let sink = slot.pointee.sink {
            Trampoline.enter {
                switch outcome {
                case .payload(let bytes): sink.complete(CallID(rawValue: id), CallResult(payload: bytes))
                case .failure(let error): sink.complete(CallID(rawValue: id), CallResult(error))
                }
            }
        } else {
            _ = with(portAt: slot.pointee.caller.load(ordering: .relaxed)) {
                reply($0, id | CallTable.callerSide, outcome)
            }
        }
    }

    private func reply(_ port: InstancePort, _ id: UInt64, _ outcome: Outcome) {
        guard let function = port.instance.pointee.reply else { return }
        var result = theatre_result()
        result.struct_size = UInt32(MemoryLayout<theatre_result>.size)
        switch outcome {
        case .payload(let bytes):
            result.code = THEATRE_OK
            result.payload = theatre_bytes(bytes)
            _ = Trampoline.enter { function(port.instance.pointee.`self`, id, &result) }
        case .failure(let error):
            result.code = error.code.rawValue
            error.withCError { cError in
                withUnsafePointer(to: &cError) { pointer in
                    result.error = pointer
                    _ = Trampoline.enter { function(port.instance.pointee.`self`, id, &result) }
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
        slot.pointee.sink = nil
        slot.pointee.responder = nil
        slot.pointee.context = nil
        slot.pointee.note = nil
        slot.pointee.callee.store(0, ordering: .relaxed)
        slot.pointee.caller.store(0, ordering: .relaxed)
        slot.pointee.parent.store(0, ordering: .relaxed)
        let index = UInt32(truncatingIfNeeded: id & (CallTable.callerSide - 1))
        table.give(slot, index: index, generation: UInt32(truncatingIfNeeded: id >> 32))
        _ = with(portAt: callee) { $0.release() }
        _ = with(portAt: caller) { $0.release() }
        if above != 0, let parent = table.slot(of: above) { unpin(parent, above) }
    }
}
