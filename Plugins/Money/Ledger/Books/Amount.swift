// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Arithmetic of minor units that refuses to run over.
enum Amount {
    /// Most that one posting or hold moves: what a JSON number holds exactly.
    static let most: Int64 = 9_007_199_254_740_991

    static func add(_ a: Int64, _ b: Int64) throws -> Int64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        if overflow { throw LedgerError.overflow() }
        return sum
    }

    static func subtract(_ a: Int64, _ b: Int64) throws -> Int64 {
        let (difference, overflow) = a.subtractingReportingOverflow(b)
        if overflow { throw LedgerError.overflow() }
        return difference
    }
}
