// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// All calls in flight: slots in chunks that are never freed, with a lock-free list of the free ones.
///
/// A slot whose generations are used up is left out of the list, so that an id never comes twice.
final class CallTable: @unchecked Sendable {
    // `chunks` is written once per entry, under `growing`, before the entry's slots are in any list.
    static let chunkBits: UInt32 = 10
    static let chunkSize: UInt32 = 1 << chunkBits
    static let chunkLimit = 4096
    /// Set in the id that the calling plugin knows, clear in the callee's.
    static let callerSide: UInt64 = 1 << 31

    private let chunks: UnsafeMutablePointer<SlotPointer?>
    private let head = Atomic<UInt64>(0)
    private let count = Atomic<UInt32>(0)
    private let growing = Mutex<Void>(())

    init() {
        chunks = .allocate(capacity: Self.chunkLimit)
        chunks.initialize(repeating: nil, count: Self.chunkLimit)
    }

    /// Slots that exist.
    var capacity: UInt32 { count.load(ordering: .acquiring) }

    /// A slot by index, below `capacity`.
    @inline(__always)
    func slot(at index: UInt32) -> SlotPointer? {
        chunks[Int(index >> Self.chunkBits)].map { $0 + Int(index & (Self.chunkSize - 1)) }
    }

    /// The slot an id names, of whatever generation; nil for ids that no table ever gave.
    @inline(__always)
    func slot(of id: UInt64) -> SlotPointer? {
        let index = UInt32(truncatingIfNeeded: id & (Self.callerSide - 1))
        return index < capacity ? slot(at: index) : nil
    }

    /// Takes a free slot; its index. nil where memory for four million calls is used up.
    @inline(__always)
    func take() -> (slot: SlotPointer, index: UInt32)? {
        while true {
            let old = head.load(ordering: .acquiring)
            let first = UInt32(truncatingIfNeeded: old)
            if first == 0 {
                guard grow() else { return nil }
                continue
            }
            guard let slot = slot(at: first - 1) else { return nil }
            let following = slot.pointee.next.load(ordering: .relaxed)
            let new = (old >> 32 &+ 1) << 32 | UInt64(following)
            if head.weakCompareExchange(expected: old, desired: new, ordering: .acquiringAndReleasing).exchanged {
                return (slot, first - 1)
            }
        }
    }

    /// Gives a slot back, one generation older.
    @inline(__always)
    func give(_ slot: SlotPointer, index: UInt32, generation: UInt32) {
        guard generation < .max else { return }
        let word = SlotWord(generation: generation + 1, phase: .free, pins: 0)
        slot.pointee.state.store(word.raw, ordering: .releasing)
        push(slot, index)
    }

    private func push(_ slot: SlotPointer, _ index: UInt32) {
        while true {
            let old = head.load(ordering: .relaxed)
            slot.pointee.next.store(UInt32(truncatingIfNeeded: old), ordering: .relaxed)
            let new = (old >> 32 &+ 1) << 32 | UInt64(index + 1)
            if head.weakCompareExchange(expected: old, desired: new, ordering: .releasing).exchanged { return }
        }
    }

    private func grow() -> Bool {
        growing.withLock { _ in
            if UInt32(truncatingIfNeeded: head.load(ordering: .acquiring)) != 0 { return true }
            let first = count.load(ordering: .relaxed)
            let chunk = Int(first >> Self.chunkBits)
            guard chunk < Self.chunkLimit else { return false }
            let slots = SlotPointer.allocate(capacity: Int(Self.chunkSize))
            for offset in 0..<Int(Self.chunkSize) { (slots + offset).initialize(to: CallSlot()) }
            chunks[chunk] = slots
            count.store(first + Self.chunkSize, ordering: .releasing)
            for offset in (0..<Self.chunkSize).reversed() { push(slots + Int(offset), first + offset) }
            return true
        }
    }

    // MARK: pins

    /// Keeps the call of `id` from being recycled, if its caller still waits.
    @inline(__always)
    func pin(_ id: UInt64) -> SlotPointer? {
        guard let slot = slot(of: id) else { return nil }
        let generation = UInt32(truncatingIfNeeded: id >> 32)
        var word = SlotWord(raw: slot.pointee.state.load(ordering: .acquiring))
        while word.generation == generation, word.phase == .live {
            let (exchanged, now) = slot.pointee.state.weakCompareExchange(
                expected: word.raw, desired: word.raw + 1, ordering: .acquiringAndReleasing)
            if exchanged { return slot }
            word = SlotWord(raw: now)
        }
        return nil
    }

    /// Moves a slot of this generation from one phase to another; false where it is in neither that phase nor that
    /// generation. Exactly one thread wins.
    @inline(__always)
    func move(_ slot: SlotPointer, generation: UInt32, from: SlotPhase, to: SlotPhase) -> Bool {
        var word = SlotWord(raw: slot.pointee.state.load(ordering: .acquiring))
        while word.generation == generation, word.phase == from {
            let (exchanged, now) = slot.pointee.state.weakCompareExchange(
                expected: word.raw, desired: word.with(phase: to).raw, ordering: .sequentiallyConsistent)
            if exchanged { return true }
            word = SlotWord(raw: now)
        }
        return false
    }

    /// Drops a pin; true where it was the last and the slot is the caller's to recycle.
    @inline(__always)
    func unpin(_ slot: SlotPointer) -> Bool {
        let (_, new) = slot.pointee.state.wrappingSubtract(1, ordering: .acquiringAndReleasing)
        return SlotWord(raw: new).pins == 0
    }
}
