// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import CTheatrePlugin
internal import Synchronization

/// All calls in flight: slots in chunks that are never freed. Free ones lie in a magazine of each lane of threads, which
/// needs no atomic operation, and beyond that in a lock-free list of batches that the magazines are filled from and
/// emptied into.
///
/// A slot whose generations are used up is left out, so that an id never comes twice.
final class CallTable: @unchecked Sendable {
    // `chunks` is written once per entry, under `growing`, before the entry's slots are in any list. A magazine belongs to
    // the one thread that has its lane. The free slots in it, and those of a batch, belong to whoever has these.
    static let chunkBits: UInt32 = 10
    static let chunkSize: UInt32 = 1 << chunkBits
    static let chunkLimit = 4096
    static let batchSize: UInt32 = 32
    /// Set in the id that the calling plugin knows, clear in the callee's.
    static let callerSide: UInt64 = 1 << 31

    /// Free slots of one lane, a line of memory away from those of the next.
    private struct Magazine {
        /// Index + 1 of the first, and how many.
        var first: UInt32 = 0
        var count: UInt32 = 0
        /// The first of a whole batch; 0 for none.
        var spare: UInt32 = 0
        var padding: (UInt32, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0)
    }

    private let chunks: UnsafeMutablePointer<SlotPointer?>
    private let magazines: UnsafeMutablePointer<Magazine>
    /// First slot of the first batch: index + 1; and how often the list was changed in the upper half.
    private let head = Atomic<UInt64>(0)
    private let count = Atomic<UInt32>(0)
    private let growing = Mutex<Void>(())

    init() {
        chunks = .allocate(capacity: Self.chunkLimit)
        chunks.initialize(repeating: nil, count: Self.chunkLimit)
        magazines = .allocate(capacity: Int(THEATRE_LANES))
        magazines.initialize(repeating: Magazine(), count: Int(THEATRE_LANES))
    }

    deinit { magazines.deallocate() }

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
    func take(_ thread: ThreadPointer) -> (slot: SlotPointer, index: UInt32)? {
        let magazine = magazines + Int(thread.pointee.lane)
        guard magazine.pointee.first != 0 || fill(magazine, thread), let slot = slot(at: magazine.pointee.first &- 1)
        else { return takeShared(thread) }
        let index = magazine.pointee.first &- 1
        magazine.pointee.first = slot.pointee.next
        magazine.pointee.count &-= 1
        return (slot, index)
    }

    /// Gives a slot back, one generation older. Nobody else refers to it.
    @inline(__always)
    func give(_ thread: ThreadPointer, _ slot: SlotPointer, index: UInt32, generation: UInt32) {
        guard generation < .max else { return }
        let word = SlotWord(generation: generation + 1, phase: .free, pins: 0)
        slot.pointee.state.store(word.raw, ordering: .releasing)
        let magazine = magazines + Int(thread.pointee.lane)
        guard magazine.pointee.count < Self.batchSize, thread.pointee.lane != THEATRE_LANE_SHARED else {
            return giveFurther(thread, magazine, slot, index)
        }
        slot.pointee.next = magazine.pointee.first
        magazine.pointee.first = index + 1
        magazine.pointee.count += 1
    }

    // MARK: batches

    /// The magazine of the shared lane stays empty, so that what takes from it comes here.
    @inline(never)
    private func fill(_ magazine: UnsafeMutablePointer<Magazine>, _ thread: ThreadPointer) -> Bool {
        guard thread.pointee.lane != THEATRE_LANE_SHARED else { return false }
        if magazine.pointee.spare != 0 {
            magazine.pointee.first = magazine.pointee.spare
            magazine.pointee.count = Self.batchSize
            magazine.pointee.spare = 0
            return true
        }
        guard let (slot, index) = pop() else { return false }
        magazine.pointee.first = index + 1
        magazine.pointee.count = slot.pointee.batchCount
        return true
    }

    @inline(never)
    private func takeShared(_ thread: ThreadPointer) -> (slot: SlotPointer, index: UInt32)? {
        guard thread.pointee.lane == THEATRE_LANE_SHARED, let (slot, index) = pop() else { return nil }
        let rest = slot.pointee.next, left = slot.pointee.batchCount - 1
        if left > 0 { push(first: rest, count: left) }
        return (slot, index)
    }

    @inline(never)
    private func giveFurther(
        _ thread: ThreadPointer, _ magazine: UnsafeMutablePointer<Magazine>, _ slot: SlotPointer, _ index: UInt32
    ) {
        slot.pointee.next = 0
        guard thread.pointee.lane != THEATRE_LANE_SHARED else { return push(first: index + 1, count: 1) }
        if magazine.pointee.spare != 0 { push(first: magazine.pointee.spare, count: Self.batchSize) }
        magazine.pointee.spare = magazine.pointee.first
        magazine.pointee.first = index + 1
        magazine.pointee.count = 1
    }

    private func pop() -> (slot: SlotPointer, index: UInt32)? {
        while true {
            let old = head.load(ordering: .acquiring)
            let first = UInt32(truncatingIfNeeded: old)
            if first == 0 {
                guard grow() else { return nil }
                continue
            }
            guard let slot = slot(at: first - 1) else { return nil }
            // Stale where another thread was faster; then the exchange fails, since every change counts.
            let following = slot.pointee.batch.load(ordering: .relaxed)
            let new = (old >> 32 &+ 1) << 32 | UInt64(following)
            if head.weakCompareExchange(expected: old, desired: new, ordering: .acquiringAndReleasing).exchanged {
                return (slot, first - 1)
            }
        }
    }

    private func push(first: UInt32, count: UInt32) {
        guard let slot = slot(at: first - 1) else { return }
        slot.pointee.batchCount = count
        while true {
            let old = head.load(ordering: .relaxed)
            slot.pointee.batch.store(UInt32(truncatingIfNeeded: old), ordering: .relaxed)
            let new = (old >> 32 &+ 1) << 32 | UInt64(first)
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
            for offset in 0..<Self.chunkSize {
                (slots + Int(offset)).initialize(to: CallSlot())
                let isLast = (offset + 1) % Self.batchSize == 0
                slots[Int(offset)].next = isLast ? 0 : first + offset + 2
            }
            chunks[chunk] = slots
            count.store(first + Self.chunkSize, ordering: .releasing)
            for offset in stride(from: 0, to: Self.chunkSize, by: Int(Self.batchSize)).reversed() {
                push(first: first + offset + 1, count: Self.batchSize)
            }
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

    /// Pins the call of `id` for a call on its behalf, and counts that as its child, if its caller still waits.
    @inline(__always)
    func pinAsParent(_ id: UInt64) -> SlotPointer? {
        guard let slot = slot(of: id) else { return nil }
        let generation = UInt32(truncatingIfNeeded: id >> 32)
        var word = SlotWord(raw: slot.pointee.state.load(ordering: .acquiring))
        while word.generation == generation, word.phase == .live {
            let (exchanged, now) = slot.pointee.state.weakCompareExchange(
                expected: word.raw, desired: word.withChild, ordering: .sequentiallyConsistent)
            if exchanged { return slot }
            word = SlotWord(raw: now)
        }
        return nil
    }

    /// As ``pinAsParent(_:)`` for a slot that is pinned already, whatever became of its call.
    func addChild(_ slot: SlotPointer) {
        var word = SlotWord(raw: slot.pointee.state.load(ordering: .relaxed))
        while true {
            let (exchanged, now) = slot.pointee.state.weakCompareExchange(
                expected: word.raw, desired: word.withChild, ordering: .sequentiallyConsistent)
            if exchanged { return }
            word = SlotWord(raw: now)
        }
    }

    /// A child has ended; its pin stays.
    @inline(__always)
    func removeChild(_ slot: SlotPointer) {
        var word = SlotWord(raw: slot.pointee.state.load(ordering: .relaxed))
        while word.children < SlotWord.mostChildren {
            let (exchanged, now) = slot.pointee.state.weakCompareExchange(
                expected: word.raw, desired: word.withoutChild, ordering: .acquiringAndReleasing)
            if exchanged { return }
            word = SlotWord(raw: now)
        }
    }

    /// Moves a slot of this generation from one phase to another: what it was; nil where it is in neither that phase nor
    /// that generation. Exactly one thread wins.
    @inline(__always)
    func move(_ slot: SlotPointer, generation: UInt32, from: SlotPhase, to: SlotPhase) -> SlotWord? {
        var word = SlotWord(raw: slot.pointee.state.load(ordering: .acquiring))
        while word.generation == generation, word.phase == from {
            let (exchanged, now) = slot.pointee.state.weakCompareExchange(
                expected: word.raw, desired: word.with(phase: to).raw, ordering: .sequentiallyConsistent)
            if exchanged { return word }
            word = SlotWord(raw: now)
        }
        return nil
    }

    /// Drops the sender's pin of a call that has not ended, and has its parent count it. False where it has ended: then
    /// nothing changes.
    @inline(__always)
    func leave(_ slot: SlotPointer, isCounted: Bool) -> Bool {
        var word = SlotWord(raw: slot.pointee.state.load(ordering: .relaxed))
        while word.phase == .live {
            let left = (word.raw - SlotWord.pin) | (isCounted ? SlotWord.counted : 0)
            let (exchanged, now) = slot.pointee.state.weakCompareExchange(
                expected: word.raw, desired: left, ordering: .sequentiallyConsistent)
            if exchanged { return true }
            word = SlotWord(raw: now)
        }
        return false
    }

    /// Drops a pin; true where it was the last and the slot is the caller's to recycle.
    @inline(__always)
    func unpin(_ slot: SlotPointer) -> Bool {
        let (_, new) = slot.pointee.state.wrappingSubtract(SlotWord.pin, ordering: .acquiringAndReleasing)
        return SlotWord(raw: new).pins == 0
    }
}
