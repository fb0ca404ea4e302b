// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

@Suite struct AuditWriterTests {
    private final class Bench: Sendable {
        let calls = FakeCalls()
        let clock = ManualClock()
        let batches = Mutex<[[SQLAuditEntry]]>([])
        let fails = Mutex(false)
        let writer: AuditWriter

        init() {
            writer = AuditWriter(
                calls, storage: "sqlite", clock: clock,
                log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            calls.serve("sqlite", "theatre.sql.v1.Database/AppendAudit") {
                [self] (request: SQLAppendAuditRequest, _) -> SQLAppendAuditResponse? in
                if fails.withLock({ $0 }) { throw CallError(.unavailable, "sql.busy", "Busy.") }
                batches.withLock { $0.append(request.entries) }
                return .init()
            }
        }

        func append(_ principal: String, _ outcome: String = "read", count: UInt32 = 1, project: String? = nil) {
            let context = CallContext(
                HostContext.with {
                    $0.principal = principal
                    $0.route = "GET /x"
                })
            writer.append(
                at: clock.wall, context: context.bytes, outcome: outcome, reason: "access.denied", count: count,
                read: project.map {
                    AuditedRead(
                        tenant: "t1", principal: principal, route: "GET /x", project: $0, decision: "", network: "")
                })
        }

        var counts: [[UInt32]] { batches.withLock { $0.map { $0.map(\.count) } } }
    }

    @Test func rowsAreStoredTogetherWithinASecond() throws {
        let bench = Bench()
        bench.append("usr_1")
        bench.clock.advance(100)
        bench.append("usr_2")
        #expect(bench.counts.isEmpty)
        bench.clock.advance(899)
        #expect(bench.counts == [[1, 1]])
        let entry = try #require(bench.batches.withLock { $0.first?.first })
        #expect(try HostContext(serializedBytes: entry.context).principal == "usr_1")
        #expect(entry.outcome == "read")
    }

    @Test func rowsWaitForAStorageThatIsAway() {
        let bench = Bench()
        bench.fails.withLock { $0 = true }
        bench.append("usr_1")
        bench.clock.advance(500)
        bench.append("usr_2")
        bench.fails.withLock { $0 = false }
        bench.clock.advance(1000)
        #expect(bench.counts == [[1, 1]])
    }

    /// However often one reads the same, each is counted; what differs in anything has rows of its own.
    @Test func readsAlikeAreCounted() {
        let bench = Bench()
        for _ in 0..<5000 { bench.append("usr_1", project: "prj_1") }
        bench.append("usr_2", project: "prj_1")
        bench.append("usr_1", project: "prj_2")
        bench.clock.advance(1000)
        #expect(bench.counts == [[1, 1, 1, 1, 1, 1, 1, 1, 1, 4991, 1, 1]])
        bench.append("usr_1", project: "prj_1")
        bench.clock.advance(1000)
        #expect(bench.counts.last == [1])
    }

    /// Also while the storage is away, and where a batch is full: none is lost or counted with another's.
    @Test func everyReadIsInOneRow() {
        var random = SystemRandomNumberGenerator()
        let bench = Bench()
        for _ in 0..<3000 {
            bench.append("usr_\(Int.random(in: 0..<60, using: &random))", project: "prj_\(Bool.random())")
            if Int.random(in: 0..<100, using: &random) == 0 {
                bench.fails.withLock { $0 = Bool.random() }
                bench.clock.advance(400)
            }
        }
        bench.fails.withLock { $0 = false }
        bench.clock.advance(60_000)
        #expect(bench.counts.flatMap(\.self).reduce(0, +) == 3000)
    }

    @Test func countsAreStoredAsTheyAre() throws {
        let bench = Bench()
        bench.append("usr_1", "refused", count: 990)
        bench.clock.advance(1000)
        #expect(bench.counts == [[990]])
        #expect(try #require(bench.batches.withLock { $0.first?.first }).outcome == "refused")
    }

    @Test func stoppingStoresEverything() {
        let bench = Bench()
        for _ in 0..<300 { bench.append("usr_1", "refused") }
        let stopped = Mutex(false)
        bench.writer.stop { stopped.withLock { $0 = true } }
        #expect(stopped.withLock { $0 })
        #expect(bench.counts.flatMap(\.self).count == 300)
    }
}
