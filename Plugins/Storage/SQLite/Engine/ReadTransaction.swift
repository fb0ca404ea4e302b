// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatreStorage

/// Reads that all see one snapshot. It holds one of the connections for streams, and no thread between its statements.
final class ReadTransaction: Sendable {
    private let engine: Engine
    private let scope: CallerScope
    private let milliseconds: Int
    private let deadline: UInt64
    private let reading: StreamReading

    /// A transaction on `reading`; the snapshot is that of the first statement.
    init(engine: Engine, scope: CallerScope, milliseconds: Int, on reading: StreamReading) {
        self.engine = engine
        self.scope = scope
        self.milliseconds = milliseconds
        deadline = monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
        self.reading = reading
    }

    /// Runs one statement, which only reads.
    func run(_ statement: SQLStatement) async throws -> SQLRows {
        let statement = try engine.resolve(statement, for: scope)
        let now = monotonicNanoseconds()
        guard now < deadline else { throw StorageError.transactionTimeout(milliseconds: milliseconds) }
        let left = UInt32(clamping: max(1, (deadline - now) / 1_000_000))
        let bounds = Bounds(rows: 10_000, bytes: engine.options.answerBytes)
        return try await engine.readers.run(for: scope) { [reading, scope] thread in
            try reading.read(
                statement, for: scope, bounds: bounds, milliseconds: left, while: { thread.isWanted })
        }
    }

    /// Lets go of the snapshot and of the connection.
    func end() async {
        await engine.readers.finish { [reading] _ in reading.end() }
        engine.streams.give(back: reading)
    }
}
