// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Gateway

@Suite struct RefusalThrottleTests {
    static func record(_ at: Int64) -> AuditRecord {
        AuditRecord(at: at, context: [], outcome: "refused", reason: "auth.access", count: 1)
    }
    let key = RefusalThrottle.Key(actor: "a", route: "r")

    @Test func tenRowsAMinuteThenOneWithTheCount() {
        var throttle = RefusalThrottle()
        var rows: [AuditRecord] = []
        for at in 0..<25 { rows += throttle.note(Self.record(Int64(at)), for: key) }
        #expect(rows.map(\.count) == Array(repeating: 1, count: 10))
        #expect(throttle.close(before: 59_999).isEmpty)
        #expect(throttle.note(Self.record(60_000), for: key).map(\.count) == [15, 1])
    }

    @Test func otherActorsAndRoutesCountApart() {
        var throttle = RefusalThrottle()
        for at in 0..<11 { _ = throttle.note(Self.record(Int64(at)), for: key) }
        let other = RefusalThrottle.Key(actor: "a", route: "other")
        #expect(throttle.note(Self.record(20), for: other).count == 1)
        #expect(throttle.close(before: 60_000).map(\.count) == [1])
        #expect(throttle.close(before: 70_000).isEmpty)
    }

    /// Whatever the order, nothing is lost: rows stand for exactly as many refusals as there were.
    @Test(arguments: UInt64(1)...30) func rowsAddUpToTheRefusals(seed: UInt64) {
        var random = IdentitySource(seed: seed)
        var throttle = RefusalThrottle(capacity: 4)
        var (at, sum) = (Int64(0), 0)
        for _ in 0..<500 {
            at += Int64(random.next() % 3000)
            let key = RefusalThrottle.Key(actor: "\(random.next() % 6)", route: "r")
            sum += throttle.note(Self.record(at), for: key).reduce(0) { $0 + $1.count }
            if random.next() % 50 == 0 { sum += throttle.close(before: at).reduce(0) { $0 + $1.count } }
        }
        sum += throttle.close(before: at, all: true).reduce(0) { $0 + $1.count }
        #expect(sum == 500)
    }
}
