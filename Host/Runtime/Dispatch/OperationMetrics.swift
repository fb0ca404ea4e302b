// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// Counters of one instance's operations; each is one relaxed addition.
final class OperationMetrics: @unchecked Sendable {
    // The cells are allocated once, atomic, and live as long as this.
    let cells: MetricCells
    private let names: [String]

    init(_ names: [String]) {
        self.names = names
        cells = MetricCells(operations: names.count)
    }

    deinit { cells.first.deallocate() }

    func snapshot() -> [OperationSnapshot] {
        names.indices.map { index in
            func cell(_ offset: Int) -> UInt64 { cells.read(index, offset) }
            // In this order: an end counts its code before its duration.
            var byCode = StatusCode.allCases.map { cell(Int($0.rawValue)) }
            let buckets = (0..<OperationSnapshot.bounds).map { cell(MetricCells.buckets + $0) }
            let ended = buckets.reduce(0, &+), failed = byCode.reduce(0, &+)
            byCode[0] = ended > failed ? ended - failed : 0
            return OperationSnapshot(
                operation: names[index], started: cell(MetricCells.started), orphaned: cell(MetricCells.orphaned),
                byCode: byCode, buckets: buckets, nanoseconds: cell(MetricCells.nanoseconds))
        }
    }
}

/// The cells behind ``OperationMetrics``, for whoever knows that they still live.
struct MetricCells {
    static let stride = 64
    static let buckets = 18
    static let started = 48
    static let orphaned = 49
    static let nanoseconds = 50
    let first: UnsafeMutablePointer<Atomic<UInt64>>

    init(operations: Int) {
        let size = max(1, operations) * Self.stride
        first = .allocate(capacity: size)
        for index in 0..<size { (first + index).initialize(to: Atomic(0)) }
    }

    func read(_ operation: Int, _ cell: Int) -> UInt64 {
        (first + operation * Self.stride + cell).pointee.load(ordering: .relaxed)
    }

    @inline(__always)
    private func add(_ operation: UInt32, _ cell: Int, _ amount: UInt64 = 1) {
        (first + Int(operation) * Self.stride + cell).pointee.wrappingAdd(amount, ordering: .relaxed)
    }

    @inline(__always)
    func start(_ operation: UInt32) { add(operation, Self.started) }

    @inline(__always)
    func end(_ operation: UInt32, code: Int32, nanoseconds: UInt64) {
        // Those that end well are the rest of all that ended.
        if code != THEATRE_OK { add(operation, Int(code)) }
        add(operation, Self.buckets + OperationSnapshot.bucket(nanoseconds))
        add(operation, Self.nanoseconds, nanoseconds)
    }

    func orphan(_ operation: UInt32) { add(operation, Self.orphaned) }
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
