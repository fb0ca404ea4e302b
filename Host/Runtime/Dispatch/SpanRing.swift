// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import Synchronization

/// A sampled span as the way of a call writes it: numbers and addresses only.
struct SpanRecord {
    var identity: SpanIdentity
    /// Who served it, or who asked the host.
    var core: CorePointer
    /// Among the core's operations, or its calls where the host answered.
    var operation: UInt32
    var isHosts: Bool
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
/// writers' side once the pieces are there. What finds no room is dropped and counted.
///
/// Each lane of threads has a queue of pieces of its own: its writer fills the last, the exporter reads behind it. Pieces
/// come from, and go back to, one list that all lanes share, so that a busy thread may use what idle ones do not.
final class SpanRing: @unchecked Sendable {
    // A record belongs to the lane's writer until it published `count`, then to the reader. `next` is written once, by the
    // writer, when it leaves the piece; from then on the piece is the reader's. The shared lane's writers hold `shared`.
    private struct Piece: ~Copyable {
        static let size = 64
        let count = Atomic<Int>(0)
        let next = Atomic<PiecePointer?>(nil)
        let records: UnsafeMutablePointer<SpanRecord>
        /// In the list of free pieces: index + 1.
        let below = Atomic<UInt32>(0)
        let index: UInt32

        init(index: UInt32) {
            self.index = index
            records = .allocate(capacity: Self.size)
        }
    }
    private typealias PiecePointer = UnsafeMutablePointer<Piece>

    /// The writer's end is a line of memory away from that of the next lane.
    private struct Lane: ~Copyable {
        /// Where the writer is; nil before its first span.
        var last: PiecePointer?
        /// The first piece, for the reader.
        let first = Atomic<PiecePointer?>(nil)
        var padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    }

    /// What the exporter has read of a lane.
    private struct Place {
        var piece: PiecePointer?
        var read = 0
    }

    private static let most: UInt32 = 512
    private let lanes: UnsafeMutablePointer<Lane>
    private let pieces: UnsafeMutablePointer<PiecePointer?>
    private let made = Atomic<UInt32>(0)
    /// Index + 1 of the first free piece, and how often the list was changed in the upper half.
    private let free = Atomic<UInt64>(0)
    private let shared = Mutex<Void>(())
    private let reading = Mutex<Void>(())
    /// By lane; under `reading`.
    private var places = [Place](repeating: Place(), count: Int(THEATRE_LANES))
    let dropped = Atomic<UInt64>(0)

    init() {
        lanes = .allocate(capacity: Int(THEATRE_LANES))
        for index in 0..<Int(THEATRE_LANES) { (lanes + index).initialize(to: Lane()) }
        pieces = .allocate(capacity: Int(Self.most))
        pieces.initialize(repeating: nil, count: Int(Self.most))
    }

    deinit {
        for index in 0..<Int(min(made.load(ordering: .relaxed), Self.most)) {
            guard let piece = pieces[index] else { continue }
            piece.pointee.records.deallocate()
            piece.deallocate()
        }
        pieces.deallocate()
        lanes.deallocate()
    }

    @inline(__always)
    func push(_ thread: ThreadPointer, _ record: SpanRecord) {
        let lane = Int(thread.pointee.lane)
        if lane == Int(THEATRE_LANE_SHARED) { return shared.withLock { _ in push(lane, record) } }
        push(lane, record)
    }

    @inline(__always)
    private func push(_ lane: Int, _ record: SpanRecord) {
        let lane = lanes + lane
        if let piece = lane.pointee.last {
            let count = piece.pointee.count.load(ordering: .relaxed)
            if count < Piece.size {
                (piece.pointee.records + count).initialize(to: record)
                return piece.pointee.count.store(count + 1, ordering: .releasing)
            }
        }
        pushFurther(lane, record)
    }

    @inline(never)
    private func pushFurther(_ lane: UnsafeMutablePointer<Lane>, _ record: SpanRecord) {
        guard let piece = take() else {
            record.note?.release()
            dropped.wrappingAdd(1, ordering: .relaxed)
            return
        }
        piece.pointee.next.store(nil, ordering: .relaxed)
        piece.pointee.records.initialize(to: record)
        piece.pointee.count.store(1, ordering: .relaxed)
        // Releases what was just written.
        if let last = lane.pointee.last {
            last.pointee.next.store(piece, ordering: .releasing)
        } else {
            lane.pointee.first.store(piece, ordering: .releasing)
        }
        lane.pointee.last = piece
    }

    // MARK: pieces

    private func take() -> PiecePointer? {
        var old = free.load(ordering: .acquiring)
        while let index = UInt32(truncatingIfNeeded: old).nonzero, let piece = pieces[Int(index - 1)] {
            let new = (old >> 32 &+ 1) << 32 | UInt64(piece.pointee.below.load(ordering: .relaxed))
            let (exchanged, now) = free.weakCompareExchange(expected: old, desired: new, ordering: .acquiring)
            if exchanged { return piece }
            old = now
        }
        guard made.load(ordering: .relaxed) < Self.most else { return nil }
        let index = made.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < Self.most else { return nil }
        let piece = PiecePointer.allocate(capacity: 1)
        piece.initialize(to: Piece(index: index))
        // Whoever finds it in the list learns of it there.
        pieces[Int(index)] = piece
        return piece
    }

    private func give(_ piece: PiecePointer) {
        var old = free.load(ordering: .relaxed)
        while true {
            piece.pointee.below.store(UInt32(truncatingIfNeeded: old), ordering: .relaxed)
            let new = (old >> 32 &+ 1) << 32 | UInt64(piece.pointee.index + 1)
            let (exchanged, now) = free.weakCompareExchange(expected: old, desired: new, ordering: .releasing)
            if exchanged { return }
            old = now
        }
    }

    // MARK: reading

    /// Takes what is there and calls `body` with batches of at most `limit`: the spans of each thread in the order in which
    /// they ended.
    func drain(batch limit: Int, _ body: ([Span]) -> Void) {
        reading.withLock { _ in
            var spans: [Span] = []
            for index in places.indices {
                read(lanes + index, &places[index]) { record in
                    if spans.isEmpty { spans.reserveCapacity(limit) }
                    spans.append(Span(record))
                    guard spans.count == limit else { return }
                    body(spans)
                    spans.removeAll(keepingCapacity: true)
                }
            }
            if !spans.isEmpty { body(spans) }
        }
    }

    private func read(
        _ lane: UnsafeMutablePointer<Lane>, _ place: inout Place, _ body: (borrowing SpanRecord) -> Void
    ) {
        if place.piece == nil { place.piece = lane.pointee.first.load(ordering: .acquiring) }
        while let piece = place.piece {
            // First: with a next piece, this one has all it will have.
            let next = piece.pointee.next.load(ordering: .acquiring)
            let count = piece.pointee.count.load(ordering: .acquiring)
            while place.read < count {
                body(piece.pointee.records[place.read])
                place.read += 1
            }
            guard let next else { return }
            give(piece)
            place = Place(piece: next, read: 0)
        }
    }
}

extension UInt32 {
    fileprivate var nonzero: UInt32? { self == 0 ? nil : self }
}

extension Span {
    fileprivate init(_ record: borrowing SpanRecord) {
        let names = record.isHosts ? record.core.pointee.callNames : record.core.pointee.names
        self.init(
            identity: record.identity, name: names[Int(record.operation)].takeUnretainedValue(),
            startNanoseconds: record.began, durationNanoseconds: record.elapsed,
            code: StatusCode(lenient: record.code), note: record.note?.takeRetainedValue().text)
    }
}
