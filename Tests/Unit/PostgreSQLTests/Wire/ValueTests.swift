// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Testing
import TheatreContracts
import TheatreStorage

@testable import PostgreSQL

struct ValueTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:5432"), ("db:6000", "db:6000"), ("[::1]:7000", "::1:7000"), ("::1", "::1:5432"),
        ("/var/run/postgresql", "/var/run/postgresql:5432"),
    ])
    func addressesAreRead(text: String, expected: String) {
        #expect(ServerAddress(text, port: 5432)?.description == expected)
    }

    @Test(arguments: ["", ":5", "db:0", "db:x", "a,b", "[::1", "db: 1"])
    func whatIsNoAddressIsNone(text: String) {
        #expect(ServerAddress(text, port: 5432) == nil)
    }

    private func numeric(_ words: [UInt16]) -> SQLValue? {
        let bytes = words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        return bytes.withUnsafeBufferPointer { WireNumeric($0)?.value }
    }

    @Test func numericsAreIntegersOrDoubles() {
        // Count, weight, sign, scale, digits.
        #expect(numeric([0, 0, 0, 0]) == SQLValue(Int64(0)))
        #expect(numeric([1, 0, 0, 0, 42]) == SQLValue(Int64(42)))
        #expect(numeric([1, 1, 0x4000, 0, 3]) == SQLValue(Int64(-30000)))
        #expect(numeric([2, 0, 0, 2, 1, 5000]) == SQLValue(real: 1.5))
        #expect(numeric([1, 0xFFFF, 0, 4, 25]) == SQLValue(real: 0.0025))
        #expect(numeric([5, 4, 0x4000, 0, 922, 3372, 368, 5477, 5808]) == SQLValue(Int64.min))
        #expect(numeric([5, 4, 0, 0, 922, 3372, 368, 5477, 5808]) == SQLValue(real: 9_223_372_036_854_775_808))
        #expect(numeric([2, 0, 0, 2, 1]) == nil)
        #expect(numeric([1, 0, 0, 1, 9999]) == SQLValue(real: 9999))
        #expect(numeric([1, 0, 0, 1, 10_000]) == nil)
    }

    @Test(arguments: UInt64(0)..<50)
    func noBytesMakeANumericFail(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            bytes.withUnsafeBufferPointer { _ = WireNumeric($0)?.value }
            let digits = (0..<Int.random(in: 0..<8, using: &random)).map { _ in
                UInt16.random(in: 0...UInt16.max, using: &random)
            }
            let head = (0..<3).map { _ in UInt16.random(in: 0...UInt16.max, using: &random) }
            _ = numeric([UInt16(digits.count)] + head + digits)
        }
    }

    @Test func timersComeInOrderAndRemovedOnesNot() {
        var queue = TimerQueue()
        var seen: [Int] = []
        var ids: [TimerQueue.ID] = []
        var random = SeededGenerator(seed: 7)
        let times = (0..<500).map { _ in Int.random(in: 0..<1000, using: &random) }
        for time in times { ids.append(queue.add(at: UInt64(time)) { seen.append(time) }) }
        for index in stride(from: 0, to: 500, by: 2) { queue.remove(ids[index]) }
        for now in stride(from: 0, through: 1000, by: 50) { for work in queue.due(UInt64(now)) { work() } }
        #expect(seen == stride(from: 1, to: 500, by: 2).map { times[$0] }.sorted())
        #expect(queue.next == nil)
    }

    @Test func theStatementUsedLongestAgoMakesRoom() {
        var names = PreparedNames(capacity: 2)
        func key(_ sql: String) -> PreparedNames.Key { .init(namespace: "a", sql: sql, types: []) }
        #expect(names.add(key("1")) == ("s1", nil))
        #expect(names.add(key("2")) == ("s2", nil))
        #expect(names.name(of: key("1")) == "s1")
        #expect(names.add(key("3")) == ("s3", "s2"))
        #expect(names.name(of: key("2")) == nil && names.count == 2)
    }

    @Test(arguments: [
        ("SELECT 0.1 + 2", "SELECT CAST(0.1 AS DOUBLE PRECISION) + 2"),
        (
            "SELECT .5, 1e3, 2E-4x",
            "SELECT CAST(.5 AS DOUBLE PRECISION), CAST(1e3 AS DOUBLE PRECISION), CAST(2E-4 AS DOUBLE PRECISION)x"
        ),
        ("SELECT a.b1, t1.c, $1, '0.5', x2e5 -- 0.5", "SELECT a.b1, t1.c, $1, '0.5', x2e5 -- 0.5"),
        ("WHERE n>1.5 AND \"q\".c=10", "WHERE n>CAST(1.5 AS DOUBLE PRECISION) AND \"q\".c=10"),
    ])
    func numbersWithAPointAreDoubles(sql: String, expected: String) throws {
        #expect(try DoubleLiterals.cast(in: sql) == expected)
    }
}
