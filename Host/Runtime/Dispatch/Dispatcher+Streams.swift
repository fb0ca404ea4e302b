// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import CTheatrePlugin
internal import Synchronization

/// "In" is from the caller to the callee, "out" from the callee to the caller. Who sends on one direction from several
/// threads orders the sends itself.
extension Dispatcher {
    /// `theatre_host.send`.
    func send(
        from port: InstancePort, _ id: UInt64, _ chunk: UnsafePointer<theatre_chunk>?
    ) -> theatre_code {
        guard let chunk, chunk.pointee.struct_size >= THEATRE_CHUNK_SIZE_0,
            chunk.pointee.data.isSound, chunk.pointee.data.size <= UInt64(limits.messageSize)
        else { return THEATRE_INVALID_ARGUMENT }
        let plain = id & ~CallTable.callerSide
        guard let slot = table.pin(plain) else { return THEATRE_NOT_FOUND }
        defer { unpin(slot, plain) }
        let isCaller = id != plain
        guard owns(port, slot, asCaller: isCaller) else { return THEATRE_NOT_FOUND }
        let needed = isCaller ? THEATRE_CALL_STREAM_IN : THEATRE_CALL_STREAM_OUT
        guard slot.pointee.flags & needed != 0 else { return THEATRE_FAILED_PRECONDITION }
        let end = chunk.pointee.flags & THEATRE_CHUNK_END != 0
        let (code, seq) = claim(
            slot, incoming: isCaller, seq: chunk.pointee.seq, size: Int64(chunk.pointee.data.size), end: end)
        guard code == THEATRE_OK else { return code }
        pass(slot, plain, incoming: isCaller, chunk.pointee.data.buffer, seq: seq, end: end)
        return THEATRE_OK
    }

    /// Sends the next message from a host-side caller; the slot is pinned.
    func sendIn(_ slot: SlotPointer, _ id: UInt64, _ message: UnsafeRawBufferPointer, end: Bool) -> Bool {
        send(slot, id, incoming: true, message, end: end)
    }

    /// Sends the next message from a host-side callee.
    func sendOut(_ id: UInt64, _ message: UnsafeRawBufferPointer, end: Bool) -> Bool {
        guard let slot = table.pin(id) else { return false }
        defer { unpin(slot, id) }
        return send(slot, id, incoming: false, message, end: end)
    }

    private func send(
        _ slot: SlotPointer, _ id: UInt64, incoming: Bool, _ message: UnsafeRawBufferPointer, end: Bool
    ) -> Bool {
        let needed = incoming ? THEATRE_CALL_STREAM_IN : THEATRE_CALL_STREAM_OUT
        guard slot.pointee.flags & needed != 0, message.count <= limits.messageSize else { return false }
        let (code, seq) = claim(slot, incoming: incoming, seq: nil, size: Int64(message.count), end: end)
        guard code == THEATRE_OK else { return false }
        pass(slot, id, incoming: incoming, message, seq: seq, end: end)
        return true
    }

    @inline(__always)
    private func owns(_ port: InstancePort, _ slot: SlotPointer, asCaller: Bool) -> Bool {
        let holder =
            asCaller
            ? slot.pointee.caller.load(ordering: .relaxed) : slot.pointee.callee.load(ordering: .relaxed)
        return holder == address(of: port)
    }

    /// Takes the next place in a direction and its credit. An empty END needs no credit.
    private func claim(
        _ slot: SlotPointer, incoming: Bool, seq: UInt64?, size: Int64, end: Bool
    ) -> (theatre_code, UInt64) {
        let expected =
            incoming ? slot.pointee.seqIn.load(ordering: .acquiring) : slot.pointee.seqOut.load(ordering: .acquiring)
        guard expected != CallSlot.endOfStream else { return (THEATRE_FAILED_PRECONDITION, 0) }
        if let seq, seq != expected { return (THEATRE_INVALID_ARGUMENT, 0) }
        let credit =
            incoming
            ? slot.pointee.creditIn.load(ordering: .acquiring) : slot.pointee.creditOut.load(ordering: .acquiring)
        guard credit > 0 || (end && size == 0) else { return (THEATRE_RESOURCE_EXHAUSTED, 0) }
        let following = end ? CallSlot.endOfStream : expected + 1
        let isClaimed =
            incoming
            ? slot.pointee.seqIn.compareExchange(
                expected: expected, desired: following, ordering: .acquiringAndReleasing
            ).exchanged
            : slot.pointee.seqOut.compareExchange(
                expected: expected, desired: following, ordering: .acquiringAndReleasing
            ).exchanged
        guard isClaimed else { return (THEATRE_INVALID_ARGUMENT, 0) }
        if incoming {
            slot.pointee.creditIn.wrappingSubtract(size, ordering: .relaxed)
        } else {
            slot.pointee.creditOut.wrappingSubtract(size, ordering: .relaxed)
        }
        return (THEATRE_OK, expected)
    }

    private func pass(
        _ slot: SlotPointer, _ id: UInt64, incoming: Bool, _ message: UnsafeRawBufferPointer, seq: UInt64, end: Bool
    ) {
        let thread: ThreadPointer = theatre_thread_here()
        guard Trampoline.isDeep(thread) || Trampoline.isWaiting(thread) else {
            return passNow(slot, id, incoming: incoming, message, seq: seq, end: end)
        }
        _ = slot.pointee.state.wrappingAdd(SlotWord.pin, ordering: .relaxed)
        let bytes = Array(message)
        Trampoline.later(thread) {
            bytes.withUnsafeBytes { self.passNow(slot, id, incoming: incoming, $0, seq: seq, end: end) }
            self.unpin(slot, id)
        }
    }

    private func passNow(
        _ slot: SlotPointer, _ id: UInt64, incoming: Bool, _ message: UnsafeRawBufferPointer, seq: UInt64, end: Bool
    ) {
        if !incoming, let sink = slot.pointee.sink {
            return Trampoline.enter { sink.receive(CallID(rawValue: id), message, end: end) }
        }
        if incoming, let responder = slot.pointee.responder {
            return Trampoline.enter { responder.received(message, end: end) }
        }
        let holder =
            incoming ? slot.pointee.callee.load(ordering: .relaxed) : slot.pointee.caller.load(ordering: .relaxed)
        guard let port = port(at: holder), let function = port.instance.pointee.send else {
            return
        }
        var chunk = theatre_chunk()
        chunk.struct_size = UInt32(MemoryLayout<theatre_chunk>.size)
        chunk.flags = end ? THEATRE_CHUNK_END : 0
        chunk.seq = seq
        chunk.data = theatre_bytes(message)
        let known = incoming ? id : id | CallTable.callerSide
        _ = Trampoline.enter(theatre_thread_here()) { function(port.instance.pointee.`self`, known, &chunk) }
    }

    // MARK: credit

    /// `theatre_host.credit`.
    func credit(from port: InstancePort, _ id: UInt64, _ bytes: UInt64) {
        let plain = id & ~CallTable.callerSide
        guard let slot = table.pin(plain) else { return }
        defer { unpin(slot, plain) }
        guard owns(port, slot, asCaller: id != plain) else { return }
        if id != plain { creditCallee(slot, plain, bytes) } else { creditCaller(slot, plain, bytes) }
    }

    /// No more than this at once, so that sums cannot overflow.
    private static let mostCredit: UInt64 = 1 << 40

    /// The caller takes more of what the callee sends; the slot is pinned.
    func creditCallee(_ slot: SlotPointer, _ id: UInt64, _ bytes: UInt64) {
        let bytes = min(bytes, Self.mostCredit)
        guard slot.pointee.creditOut.load(ordering: .relaxed) < Int64(Self.mostCredit) else { return }
        slot.pointee.creditOut.wrappingAdd(Int64(bytes), ordering: .acquiringAndReleasing)
        soon(slot, id) {
            if let responder = slot.pointee.responder { return responder.credited(bytes) }
            guard let port = self.port(at: slot.pointee.callee.load(ordering: .relaxed)) else { return }
            port.instance.pointee.credit?(port.instance.pointee.`self`, id, bytes)
        }
    }

    /// A callee in the host takes more of what the caller sends.
    func creditToCaller(_ id: UInt64, _ bytes: UInt64) {
        guard let slot = table.pin(id) else { return }
        defer { unpin(slot, id) }
        creditCaller(slot, id, bytes)
    }

    /// The callee takes more of what the caller sends; the slot is pinned.
    private func creditCaller(_ slot: SlotPointer, _ id: UInt64, _ bytes: UInt64) {
        let bytes = min(bytes, Self.mostCredit)
        guard slot.pointee.creditIn.load(ordering: .relaxed) < Int64(Self.mostCredit) else { return }
        slot.pointee.creditIn.wrappingAdd(Int64(bytes), ordering: .acquiringAndReleasing)
        soon(slot, id) {
            if let sink = slot.pointee.sink { return sink.credit(CallID(rawValue: id), bytes: bytes) }
            guard let port = self.port(at: slot.pointee.caller.load(ordering: .relaxed)) else { return }
            port.instance.pointee.credit?(port.instance.pointee.`self`, id | CallTable.callerSide, bytes)
        }
    }

    /// Runs `body` now, or when the thread's nesting allows.
    private func soon(_ slot: SlotPointer, _ id: UInt64, _ body: @escaping () -> Void) {
        let thread: ThreadPointer = theatre_thread_here()
        guard Trampoline.isDeep(thread) else { return Trampoline.enter(thread, body) }
        _ = slot.pointee.state.wrappingAdd(SlotWord.pin, ordering: .relaxed)
        Trampoline.later(thread) {
            body()
            self.unpin(slot, id)
        }
    }

    // MARK: cancellation

    /// `theatre_host.cancel`.
    func cancel(from port: InstancePort, _ id: UInt64, _ reason: UInt32) {
        let plain = id & ~CallTable.callerSide
        guard id != plain, let slot = table.pin(plain) else { return }
        defer { unpin(slot, plain) }
        if owns(port, slot, asCaller: true) { tellCancelled(slot, plain, THEATRE_CANCEL_CALLER) }
    }

    /// Tells the callee that the answer is no longer wanted; the slot is pinned.
    func tellCancelled(_ slot: SlotPointer, _ id: UInt64, _ reason: UInt32) {
        slot.pointee.isCancelled.store(true, ordering: .relaxed)
        soon(slot, id) {
            if let responder = slot.pointee.responder { return responder.cancelled(reason) }
            guard let port = self.port(at: slot.pointee.callee.load(ordering: .relaxed)) else { return }
            port.instance.pointee.cancel?(port.instance.pointee.`self`, id, reason)
        }
    }

    /// Gives up what is still open on behalf of a call that ended.
    func cancelChildren(of parent: UInt64) {
        forEachLive { slot, id in
            if slot.pointee.parent.load(ordering: .relaxed) == parent { tellCancelled(slot, id, THEATRE_CANCEL_CALLER) }
        }
    }

    /// Tells an instance that is being stopped to hurry: every call it serves is cancelled with reason DRAIN.
    public func cancelCalls(servedBy port: InstancePort) {
        forEachLive { slot, id in
            if slot.pointee.callee.load(ordering: .relaxed) == address(of: port) {
                tellCancelled(slot, id, THEATRE_CANCEL_DRAIN)
            }
        }
    }

    /// Visits every call whose caller waits, pinned. Takes no lock; what starts meanwhile may be left out.
    func forEachLive(_ body: (SlotPointer, UInt64) -> Void) {
        for index in 0..<table.capacity {
            guard let slot = table.slot(at: index) else { continue }
            let word = SlotWord(raw: slot.pointee.state.load(ordering: .acquiring))
            guard word.phase == .live else { continue }
            let id = UInt64(word.generation) << 32 | UInt64(index)
            guard table.pin(id) != nil else { continue }
            body(slot, id)
            unpin(slot, id)
        }
    }

    /// `theatre_host.is_live`.
    func isLive(_ id: UInt64, for port: InstancePort) -> Bool {
        let plain = id & ~CallTable.callerSide
        guard let slot = table.slot(of: plain) else { return false }
        let word = SlotWord(raw: slot.pointee.state.load(ordering: .acquiring))
        return word.generation == id >> 32 && word.phase == .live && owns(port, slot, asCaller: id != plain)
            && !slot.pointee.isCancelled.load(ordering: .relaxed)
    }

    /// `HostCall.isWanted`.
    func isWanted(_ id: UInt64) -> Bool {
        guard let slot = table.slot(of: id) else { return false }
        let word = SlotWord(raw: slot.pointee.state.load(ordering: .acquiring))
        return word.generation == id >> 32 && word.phase == .live
            && !slot.pointee.isCancelled.load(ordering: .relaxed)
    }
}
