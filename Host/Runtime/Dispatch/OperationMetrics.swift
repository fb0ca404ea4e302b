// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import CTheatrePlugin
internal import Synchronization

/// Counters of one instance's operations; each lane of threads counts by itself, and what is read is the sum.
final class OperationMetrics: @unchecked Sendable {
    // The cells are atomic and live as long as this.
    let cells: MetricCells
    private let names: [String]

    init(_ names: [String]) {
        self.names = names
        cells = MetricCells(operations: names.count)
    }

    deinit { cells.deallocate() }

    func snapshot() -> [OperationSnapshot] {
        names.indices.map { index in
            // In this order: an end counts its code before its duration.
            var byCode = StatusCode.allCases.map { cells.readRare(index, Int($0.rawValue)) }
            let orphaned = cells.readRare(index, MetricCells.orphaned)
            let sums = cells.read(index)
            let buckets = Array(sums[..<OperationSnapshot.bounds])
            let ended = buckets.reduce(0, &+), failed = byCode.reduce(0, &+)
            byCode[0] = ended > failed ? ended - failed : 0
            return OperationSnapshot(
                operation: names[index], started: sums[MetricCells.started], orphaned: orphaned, byCode: byCode,
                buckets: buckets, nanoseconds: sums[MetricCells.nanoseconds])
        }
    }
}

/// The cells behind ``OperationMetrics``, for whoever knows that they still live.
///
/// A lane's cells are written by the one thread that has the lane, so an addition is a load and a store; the shared lane's
/// by several, with an atomic addition. What happens seldom has one cell for all.
struct MetricCells: @unchecked Sendable {
    // `lanes` and `rare` are allocated once; each entry of `lanes` is written once, and read by others with acquire.
    typealias Cell = Atomic<UInt64>
    typealias Cells = UnsafeMutablePointer<Cell>

    /// Of a lane, for each operation: a bucket for each bound, then these.
    private static let stride = 32
    static let started = 26
    static let nanoseconds = 27
    /// Of the rare ones, for each operation: an end for each code, then this.
    private static let rareStride = 24
    static let orphaned = 18

    private let operations: Int
    private let lanes: UnsafeMutablePointer<Atomic<Cells?>>
    private let rare: Cells

    init(operations: Int) {
        self.operations = max(1, operations)
        lanes = .allocate(capacity: Int(THEATRE_LANES))
        for index in 0..<Int(THEATRE_LANES) { (lanes + index).initialize(to: Atomic(nil)) }
        rare = Self.make(self.operations * Self.rareStride)
        // Its cells are there before two threads can want them.
        lanes[Int(THEATRE_LANE_SHARED)].store(Self.make(self.operations * Self.stride), ordering: .releasing)
    }

    func deallocate() {
        for index in 0..<Int(THEATRE_LANES) { lanes[index].load(ordering: .acquiring)?.deallocate() }
        lanes.deallocate()
        rare.deallocate()
    }

    private static func make(_ count: Int) -> Cells {
        let cells = Cells.allocate(capacity: count)
        for index in 0..<count { (cells + index).initialize(to: Atomic(0)) }
        return cells
    }

    func readRare(_ operation: Int, _ cell: Int) -> UInt64 {
        (rare + operation * Self.rareStride + cell).pointee.load(ordering: .relaxed)
    }

    /// The sums of all lanes; durations before what else ended and began, so that nothing ended that never began.
    func read(_ operation: Int) -> [UInt64] {
        var sums = [UInt64](repeating: 0, count: Self.stride)
        for lane in 0..<Int(THEATRE_LANES) {
            guard let cells = lanes[lane].load(ordering: .acquiring) else { continue }
            for cell in 0..<Self.started {
                sums[cell] &+= (cells + operation * Self.stride + cell).pointee.load(ordering: .acquiring)
            }
        }
        for lane in 0..<Int(THEATRE_LANES) {
            guard let cells = lanes[lane].load(ordering: .acquiring) else { continue }
            for cell in Self.started...Self.nanoseconds {
                sums[cell] &+= (cells + operation * Self.stride + cell).pointee.load(ordering: .relaxed)
            }
        }
        return sums
    }

    @inline(__always)
    private func cells(_ lane: UInt32, _ operation: UInt32) -> Cells {
        (lanes[Int(lane)].load(ordering: .relaxed) ?? makeLane(lane)) + Int(operation) * Self.stride
    }

    @inline(never)
    private func makeLane(_ lane: UInt32) -> Cells {
        let cells = Self.make(operations * Self.stride)
        lanes[Int(lane)].store(cells, ordering: .releasing)
        return cells
    }

    @inline(__always)
    private func add(_ cell: Cells, _ amount: UInt64, _ lane: UInt32) {
        if lane == THEATRE_LANE_SHARED {
            cell.pointee.wrappingAdd(amount, ordering: .relaxed)
        } else {
            cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ amount, ordering: .releasing)
        }
    }

    @inline(__always)
    func start(_ thread: ThreadPointer, _ operation: UInt32) {
        let lane = thread.pointee.lane
        add(cells(lane, operation) + Self.started, 1, lane)
    }

    @inline(__always)
    func end(_ thread: ThreadPointer, _ operation: UInt32, code: Int32, nanoseconds: UInt64) {
        // Those that end well are the rest of all that ended.
        if code != THEATRE_OK { addRare(operation, Int(code)) }
        let lane = thread.pointee.lane
        let cells = cells(lane, operation)
        add(cells + OperationSnapshot.bucket(nanoseconds), 1, lane)
        add(cells + Self.nanoseconds, nanoseconds, lane)
    }

    func orphan(_ operation: UInt32) { addRare(operation, Self.orphaned) }

    private func addRare(_ operation: UInt32, _ cell: Int) {
        (rare + Int(operation) * Self.rareStride + cell).pointee.wrappingAdd(1, ordering: .relaxed)
    }
}

/// The counters of one operation at one moment.
public struct OperationSnapshot: Sendable {
    /// `capability/Operation`, or the name in `calls` for what an instance asks of the host.
    public let operation: String
    /// Calls sent.
    public let started: UInt64
    /// Calls that outlived their deadline.
    public let orphaned: UInt64
    /// Ends by canonical code; index 0 is OK.
    public let byCode: [UInt64]
    /// Ends by duration, not cumulative: entry i is below 2^i µs, the last has no bound.
    public let buckets: [UInt64]
    /// Sum of durations.
    public let nanoseconds: UInt64

    /// Number of buckets.
    public static let bounds = 26

    @inline(__always)
    static func bucket(_ nanoseconds: UInt64) -> Int {
        min(bounds - 1, UInt64.bitWidth - (nanoseconds / 1000).leadingZeroBitCount)
    }
}

/// The counters of one instance at one moment.
public struct InstanceSnapshot: Sendable {
    /// Name in `plugins.d`.
    public let instance: String
    /// Of the loads.
    public let generation: UInt32
    /// Calls being served whose callers wait.
    public let inFlight: Int
    /// Calls whose callers were told that the deadline passed, not completed yet.
    public let orphans: Int
    /// Completions after the deadline.
    public let late: UInt64
    /// Completions of calls that had ended, or of none.
    public let double: UInt64
    /// Completions of other instances' calls.
    public let foreign: UInt64
    /// Results that could not be read.
    public let malformed: UInt64
    /// What it serves.
    public let operations: [OperationSnapshot]
    /// What it asks of the host.
    public let calls: [OperationSnapshot]
}
