// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// What the host said of a call, with a copy of the bytes it lent.
///
/// It belongs to one after the other: to the thread that brings the call, to the queue, to the ``ServedCall``.
struct CallRecord {
    /// Whose call it is. Uncounted: the host destroys an instance once none of its calls is left.
    let keeper: Unmanaged<InstanceKeeper>
    let id: theatre_id
    let deadline: UInt64
    let operation: UInt32
    let attempt: UInt32
    let flags: UInt32
    /// Given up before it was begun; touched with the queue locked.
    var isCancelled = false
    /// The call, where it was made when it came: one with streams.
    var served: Unmanaged<ServedCall>?
    fileprivate let bytes: UnsafeMutableRawPointer
    private let contextSize: Int
    private let keySize: Int
    private let payloadSize: Int
    fileprivate var next: RecordPointer?

    /// Bytes of a record; what a request has beyond is kept beside it.
    fileprivate static let size = 1024
    fileprivate static var room: Int { size - MemoryLayout<CallRecord>.stride }

    fileprivate init(
        _ keeper: Unmanaged<InstanceKeeper>, _ request: borrowing theatre_request, in place: UnsafeMutableRawPointer
    ) {
        self.keeper = keeper
        id = request.call
        deadline = request.deadline_ns
        operation = request.operation
        attempt = request.attempt
        flags = request.flags
        let (context, key, payload) = (request.context.buffer, request.idempotency_key.buffer, request.payload.buffer)
        (contextSize, keySize, payloadSize) = (context.count, key.count, payload.count)
        let sum = context.count + key.count + payload.count
        bytes =
            sum <= Self.room
            ? place + MemoryLayout<CallRecord>.stride : .allocate(byteCount: sum, alignment: 1)
        Self.copy(context, to: bytes)
        Self.copy(key, to: bytes + context.count)
        Self.copy(payload, to: bytes + context.count + key.count)
    }

    @inline(__always)
    private static func copy(_ bytes: UnsafeRawBufferPointer, to place: UnsafeMutableRawPointer) {
        if let base = bytes.baseAddress { place.copyMemory(from: base, byteCount: bytes.count) }
    }

    fileprivate var isLarge: Bool { contextSize + keySize + payloadSize > Self.room }

    var context: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: contextSize) }
    var key: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes + contextSize, count: keySize) }
    var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes + contextSize + keySize, count: payloadSize)
    }

    /// Whether this is the call, and nobody knows of it yet.
    func isCall(_ id: theatre_id, of keeper: Unmanaged<InstanceKeeper>) -> Bool {
        self.id == id && served == nil && self.keeper.toOpaque() == keeper.toOpaque()
    }
}

typealias RecordPointer = UnsafeMutablePointer<CallRecord>

/// Records that are used again: made by the thread that brings a call and let go of by the one that serves it, which
/// costs an allocator twice as much as memory that stays on its thread. As many as ever were in use at once.
///
/// Unchecked: the pointers are constant; the lists are a lock's, and an atomic that is pushed to one by one and taken
/// whole.
final class CallRecords: @unchecked Sendable {
    private struct Free: ~Copyable { let list = Mutex<RecordPointer?>(nil) }
    private struct Returned: ~Copyable { let head = Atomic<RecordPointer?>(nil) }

    private let free = OwnLines.allocate(Free())
    private let returned = OwnLines.allocate(Returned())

    deinit {
        for list in [free.pointee.list.withLock { $0 }, returned.pointee.head.load(ordering: .acquiring)] {
            var rest = list
            while let record = rest {
                rest = record.pointee.next
                UnsafeMutableRawPointer(record).deallocate()
            }
        }
        OwnLines.free(free)
        OwnLines.free(returned)
    }

    /// A record of a request, whose bytes are copied.
    @inline(__always)
    func record(_ keeper: Unmanaged<InstanceKeeper>, _ request: borrowing theatre_request) -> RecordPointer {
        let record =
            free.pointee.list.withLock { list in
                if list == nil { list = returned.pointee.head.exchange(nil, ordering: .acquiring) }
                let first = list
                list = first?.pointee.next
                return first
            }
            ?? UnsafeMutableRawPointer.allocate(byteCount: CallRecord.size, alignment: 128)
            .bindMemory(to: CallRecord.self, capacity: 1)
        // Nothing in a record is counted: it is written over.
        record.initialize(to: CallRecord(keeper, request, in: UnsafeMutableRawPointer(record)))
        return record
    }

    /// Takes a record back.
    @inline(__always)
    func giveBack(_ record: RecordPointer) {
        if record.pointee.isLarge { record.pointee.bytes.deallocate() }
        var head = returned.pointee.head.load(ordering: .relaxed)
        while true {
            record.pointee.next = head
            let (exchanged, now) = returned.pointee.head.weakCompareExchange(
                expected: head, desired: record, ordering: .releasing)
            if exchanged { return }
            head = now
        }
    }
}
