// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// One entry of the call table.
///
/// `state` governs it: plain members are written by the thread that took the slot before it publishes `state`, and
/// read only by threads that hold a pin; a slot is recycled by whoever drops the last pin.
struct CallSlot: ~Copyable {
    let state = Atomic<UInt64>(SlotWord(generation: 1, phase: .free, pins: 0).raw)
    let next = Atomic<UInt32>(0)

    // Read without a pin: valid if `state` still has the same generation afterwards.
    let deadline = Atomic<UInt64>(0)
    let parent = Atomic<UInt64>(0)
    let caller = Atomic<UInt>(0)
    let callee = Atomic<UInt>(0)
    /// What served when the outermost call began; kept by the dispatcher.
    let table = Atomic<Unmanaged<DispatchTable>?>(nil)

    /// Calls made on behalf of this one that have not ended.
    let children = Atomic<Int>(0)
    /// The transaction open on behalf of this call: need + 1, and how often in the upper half.
    let transaction = Atomic<UInt32>(0)

    /// The caller gave the answer up.
    let isCancelled = Atomic<Bool>(false)

    let creditIn = Atomic<Int64>(0)
    let creditOut = Atomic<Int64>(0)
    let seqIn = Atomic<UInt64>(0)
    let seqOut = Atomic<UInt64>(0)

    var flags: UInt32 = 0
    var operation: UInt32 = 0
    /// Index in the caller's `calls`, where the caller is a plugin.
    var callIndex: UInt32 = 0
    var depth: UInt32 = 0
    var holdsTransaction = false
    var began: UInt64 = 0
    /// Kept by `sinkOwner`.
    unowned(unsafe) var sink: (any CallSink)?
    /// What of `sink` is counted.
    var sinkOwner: Unmanaged<AnyObject>?
    var responder: (any CallResponder)?
    /// Counted where `ownsContext`; otherwise the parent's, which outlives this call.
    var context: Unmanaged<CallContext>?
    var ownsContext = false
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

/// `CallSlot.state`: generation in the upper half, then 8 bits of phase and 24 of pins.
struct SlotWord: Equatable {
    var raw: UInt64

    init(raw: UInt64) { self.raw = raw }

    init(generation: UInt32, phase: SlotPhase, pins: UInt32) {
        raw = UInt64(generation) << 32 | phase.rawValue << 24 | UInt64(pins)
    }

    var generation: UInt32 { UInt32(truncatingIfNeeded: raw >> 32) }
    var pins: UInt32 { UInt32(truncatingIfNeeded: raw & 0xff_ffff) }
    var phaseBits: UInt64 { raw >> 24 & 0xff }
    var phase: SlotPhase { SlotPhase(rawValue: phaseBits) ?? .free }

    func with(phase: SlotPhase) -> SlotWord { SlotWord(raw: raw & ~(0xff << 24) | phase.rawValue << 24) }
}

/// What answers calls inside the host: a service's call, or a chain of fallbacks.
protocol CallResponder: AnyObject, Sendable {
    /// The answer is given up.
    func cancelled(_ reason: UInt32)
    /// The caller takes more.
    func credited()
}
