// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import TheatreContracts

/// Bounds of a read.
public struct ReadOptions: Sendable, Hashable {
    /// More rows are OUT_OF_RANGE `sql.too_many_rows`. 0: 10,000, or no bound for a stream.
    public var maxRows: UInt32
    /// Longest time for the statement. Nil: until the call's deadline.
    public var timeout: Duration?
    /// How far behind the last commit the answer may be: a replica within it may give it. Zero: not at all.
    public var maxStaleness: Duration

    /// Bounds, all with defaults.
    public init(maxRows: UInt32 = 0, timeout: Duration? = nil, maxStaleness: Duration = .zero) {
        self.maxRows = maxRows
        self.timeout = timeout
        self.maxStaleness = maxStaleness
    }

    func request(_ statement: SQLStatement) -> SQLQueryRequest {
        .with {
            $0.statement = statement
            $0.maxRows = maxRows
            $0.timeoutMs = timeout?.milliseconds ?? 0
            $0.maxStalenessMs = maxStaleness.milliseconds
        }
    }
}

extension Duration {
    /// Whole milliseconds, at least 1 where it is more than nothing.
    var milliseconds: UInt32 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < 4_000_000 else { return .max }
        return UInt32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
