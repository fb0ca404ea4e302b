// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// One entry of the call table.
///
/// `state` governs it: plain members are written by the thread that took the slot before it publishes `state`, and
/// read only by threads that hold a pin; a slot is recycled by whoever drops the last pin. What `Dispatcher.keep` writes
/// is read by nobody else: it is written under the sending thread's pin.
struct CallSlot: ~Copyable {
    let state = Atomic<UInt64>(SlotWord(generation: 1, phase: .free, pins: 0).raw)
    /// Of free slots: the one below in its batch; index + 1.
    var next: UInt32 = 0
    /// Of the first slot of a free batch: the batch below, and how many slots the batch has.
    let batch = Atomic<UInt32>(0)
    var batchCount: UInt32 = 0

    // Read without a pin: valid if `state` still has the same generation afterwards.
    let deadline = Atomic<UInt64>(0)
    let parent = Atomic<UInt64>(0)
    let caller = Atomic<UInt>(0)
    let callee = Atomic<UInt>(0)
    let operation = Atomic<UInt32>(0)
    /// What served when the outermost call began; kept by the dispatcher.
    let table = Atomic<Unmanaged<DispatchTable>?>(nil)

    /// The transaction open on behalf of this call: need + 1, and how often in the upper half.
    let transaction = Atomic<UInt32>(0)

    /// The caller gave the answer up.
    let isCancelled = Atomic<Bool>(false)

    let creditIn = Atomic<Int64>(0)
    let creditOut = Atomic<Int64>(0)
    let seqIn = Atomic<UInt64>(0)
    let seqOut = Atomic<UInt64>(0)

    var flags: UInt32 = 0
    /// Index in the caller's `calls`, where the caller is a plugin.
    var callIndex: UInt32 = 0
    var depth: UInt32 = 0
    var holdsTransaction = false
    var began: UInt64 = 0
    /// Kept by whoever sends the call while it does, and from then on by `keptSink`.
    unowned(unsafe) var sink: (any CallSink)?
    var keptSink: (any CallSink)?
    var responder: (any CallResponder)?
    /// Counted where `ownsContext`; otherwise the parent's, which outlives this call, or the sender's, while it sends.
    var context: Unmanaged<CallContext>?
    var ownsContext = false
    /// Holds a pin of `parent`.
    var pinsParent = false
    var trace = SpanIdentity()
    var note: SpanNote?

    static let endOfStream = UInt64.max
}

typealias SlotPointer = UnsafeMutablePointer<CallSlot>

/// What a slot goes through.
enum SlotPhase: UInt64 {
    /// In the free list.
    case free = 0
    /// The caller waits.
    case live = 1
    /// The caller has, or is about to get, its answer, and the callee is done.
    case done = 2
    /// The caller was told that the deadline passed; the callee has not completed.
    case orphan = 3
}

/// `CallSlot.state`: generation in the upper half; below it the phase, whether the parent counts this call, the number of
/// children that count, and that of the pins.
struct SlotWord: Equatable {
    static let pin: UInt64 = 1
    private static let pinMask: UInt64 = 0x7f_ffff
    static let child: UInt64 = 1 << 23
    /// With as many children as this, more are not counted, and those that end neither: the call has some to its end.
    static let mostChildren: UInt64 = 63
    static let counted: UInt64 = 1 << 29
    private static let phaseShift: UInt64 = 30

    var raw: UInt64

    @inline(__always)
    init(raw: UInt64) { self.raw = raw }

    @inline(__always)
    init(generation: UInt32, phase: SlotPhase, pins: UInt32, isCounted: Bool = false) {
        raw =
            UInt64(generation) << 32 | phase.rawValue << Self.phaseShift | (isCounted ? Self.counted : 0)
            | UInt64(pins)
    }

    var generation: UInt32 { UInt32(truncatingIfNeeded: raw >> 32) }
    /// Who refers to the slot: the call itself until it has ended and was told, its children, and threads at work. There
    /// are four million slots, so this cannot overflow.
    var pins: UInt32 { UInt32(truncatingIfNeeded: raw & Self.pinMask) }
    /// Calls made on behalf of this one that have not ended.
    var children: UInt64 { raw >> 23 & Self.mostChildren }
    /// Among the children of its parent.
    var isCounted: Bool { raw & Self.counted != 0 }
    var phase: SlotPhase { SlotPhase(rawValue: raw >> Self.phaseShift & 3) ?? .free }

    @inline(__always)
    func with(phase: SlotPhase) -> SlotWord {
        SlotWord(raw: raw & ~(3 << Self.phaseShift) | phase.rawValue << Self.phaseShift)
    }

    /// With a child more, pinned.
    var withChild: UInt64 { raw + Self.pin + (children < Self.mostChildren ? Self.child : 0) }
    /// With a child less; its pin stays.
    var withoutChild: UInt64 { raw - (children < Self.mostChildren ? Self.child : 0) }
}

/// What answers calls inside the host: a service's call, or a chain of fallbacks.
protocol CallResponder: AnyObject, Sendable {
    /// The answer is given up.
    func cancelled(_ reason: UInt32)
    /// The caller takes so many bytes more.
    func credited(_ bytes: UInt64)
    /// The caller sent a message.
    func received(_ message: UnsafeRawBufferPointer, end: Bool)
}
