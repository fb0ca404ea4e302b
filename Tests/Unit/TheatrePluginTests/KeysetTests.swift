// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreContracts

@testable import TheatrePlugin

struct KeysetTests {
    @Test func firstPageHasOrderAndLimitOnly() {
        let clause = Keyset(.descending("n.at"), .descending("n.id")).clause(after: nil, limit: 51, used: 2)
        #expect(clause.sql == " ORDER BY n.at DESC, n.id DESC LIMIT ?3")
        #expect(clause.parameters == [51])
    }

    @Test func oneDirectionIsComparedAsARow() {
        let clause = Keyset(.descending("at"), .descending("id")).clause(after: [7, "b"], limit: 3, used: 1)
        #expect(clause.sql == " AND ((at, id) < (?2, ?3)) ORDER BY at DESC, id DESC LIMIT ?4")
        #expect(clause.parameters == [7, "b", 3])
    }

    @Test func mixedDirectionsAreWrittenOut() {
        let clause = Keyset(.descending("at"), .ascending("id")).clause(after: [7, "b"], limit: 3, used: 0)
        #expect(clause.sql == " AND ((at < ?1) OR (at = ?1 AND id > ?2)) ORDER BY at DESC, id ASC LIMIT ?3")
    }

    @Test(arguments: [
        (Duration.zero, UInt32(0)), (.nanoseconds(1), 1), (.milliseconds(2), 2), (.seconds(3), 3000),
        (.seconds(-1), 0), (.seconds(10_000_000), .max),
    ])
    func durationsAreWholeMilliseconds(_ duration: Duration, _ milliseconds: UInt32) {
        #expect(duration.milliseconds == milliseconds)
    }

    @Test func pausesStayWithinABoundThatDoubles() {
        for attempt in 1...12 {
            let bound = min(250, 4 << min(attempt, 8))
            #expect(TransactionPause.milliseconds(after: attempt) { $0.upperBound } == bound)
            #expect(TransactionPause.milliseconds(after: attempt) { $0.lowerBound } == 1)
        }
    }

    @Test(arguments: [
        (PluginError(.aborted, "sql.serialization", "", retry: .safe), true),
        (PluginError(.aborted, "sql.schema_changed", "", retry: .safe), true),
        (PluginError(.failedPrecondition, "sql.unknown_statement", ""), true),
        (PluginError(.unavailable, "sql.unreachable", "", retry: .safe), false),
        (PluginError(.unavailable, "sql.connection_lost", "", retry: .safe), false),
        (PluginError(.resourceExhausted, "sql.pool_busy", "", retry: .safe), false),
        (PluginError(.resourceExhausted, "sql.full", "", retry: .after(milliseconds: 1000)), false),
        (PluginError(.unavailable, "sql.connection_lost", "", effect: .unknown, retry: .safe), false),
        (PluginError(.aborted, "sql.expectation", ""), false),
        (PluginError(.unavailable, "ledger.busy", "", retry: .safe), false),
    ])
    func onlyWhatAnotherTransactionUndidIsBegunAnew(_ error: PluginError, _ allowed: Bool) {
        #expect(error.allowsAnotherTransaction == allowed)
    }
}
