// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A span as the way of a call writes it: numbers and addresses only.
struct SpanRecord {
    var identity: SpanIdentity
    var callee: CorePointer?
    var caller: CorePointer?
    /// Of the callee, or of the caller where the host answered.
    var operation: UInt32
    var code: Int32
    var began: UInt64
    var elapsed: UInt64
    var note: Unmanaged<SpanNote>?
}

/// Which candidates were skipped, and why.
final class SpanNote: Sendable {
    let text: String
    init(_ text: String) { self.text = text }
}

/// Spans between the threads that end calls and the one that exports them: bounded, without locks or allocation on the
/// writers' side. What finds it full is dropped and counted.
final class SpanRing: @unchecked Sendable {
    // A cell belongs to the writer or the reader that its sequence names (a bounded queue after Vyukov).
    private struct Cell: ~Copyable {
        let sequence: Atomic<UInt64>
        var record: SpanRecord?
    }

    private static let size = 1 << 15
    private let cells: UnsafeMutablePointer<Cell>
    private let head = Atomic<UInt64>(0)
    private let tail = Mutex<UInt64>(0)
    let dropped = Atomic<UInt64>(0)

    init() {
        cells = .allocate(capacity: Self.size)
        for index in 0..<Self.size {
            (cells + index).initialize(to: Cell(sequence: Atomic(UInt64(index)), record: nil))
        }
    }

    deinit { cells.deallocate() }

    @inline(__always)
    func push(_ record: SpanRecord) {
        var position = head.load(ordering: .relaxed)
        while true {
            let cell = cells + Int(truncatingIfNeeded: position & UInt64(Self.size - 1))
            let sequence = cell.pointee.sequence.load(ordering: .acquiring)
            if sequence == position {
                let (exchanged, now) = head.weakCompareExchange(
                    expected: position, desired: position + 1, ordering: .relaxed)
                guard exchanged else {
                    position = now
                    continue
                }
                cell.pointee.record = record
                cell.pointee.sequence.store(position + 1, ordering: .releasing)
                return
            }
            guard sequence > position else { return drop(record) }
            position = head.load(ordering: .relaxed)
        }
    }

    private func drop(_ record: SpanRecord) {
        record.note?.release()
        dropped.wrappingAdd(1, ordering: .relaxed)
    }

    /// Takes what is there, oldest first, and calls `body` with batches of at most `limit`.
    func drain(batch limit: Int, _ body: ([Span]) -> Void) {
        tail.withLock { tail in
            var spans: [Span] = []
            while true {
                let cell = cells + Int(truncatingIfNeeded: tail & UInt64(Self.size - 1))
                guard cell.pointee.sequence.load(ordering: .acquiring) == tail + 1, let record = cell.pointee.record
                else { break }
                spans.append(Span(record))
                cell.pointee.sequence.store(tail + UInt64(Self.size), ordering: .releasing)
                tail += 1
                guard spans.count == limit else { continue }
                body(spans)
                spans.removeAll(keepingCapacity: true)
            }
            if !spans.isEmpty { body(spans) }
        }
    }
}

extension Span {
    fileprivate init(_ record: SpanRecord) {
        let callee = record.callee?.port
        let operation: String
        if let callee {
            operation = callee.operations[Int(record.operation)].name
        } else {
            operation = record.caller?.port.calls[Int(record.operation)].name ?? ""
        }
        self.init(
            identity: record.identity, instance: callee?.identity.instance ?? "host",
            generation: callee?.identity.generation ?? 0, operation: operation, startNanoseconds: record.began,
            durationNanoseconds: record.elapsed, code: StatusCode(lenient: record.code),
            note: record.note?.takeRetainedValue().text)
    }
}
