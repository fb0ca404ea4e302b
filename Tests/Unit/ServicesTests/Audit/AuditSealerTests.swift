// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SeededRandom
import Synchronization
import Testing
import TheatreContracts

@testable import Services

@Suite struct AuditSealerTests {
    @Test func rowsAreSealedWithinASecondAndSignedWithinTen() throws {
        let bench = try AuditBench()
        bench.sealer().start()
        bench.clock.advance(3000)
        bench.shelf.append("t0")
        bench.shelf.append("t1")
        bench.shelf.append("t0")
        bench.clock.advance(999)
        #expect(bench.shelf.books.withLock { $0.rows.map(\.seq) } == [1, 1, 2])
        #expect(try bench.shelf.verify(bench.keys).unchecked == 3)
        bench.clock.advance(11_000)
        let report = try bench.shelf.verify(bench.keys)
        #expect(report.isIntact && report.rows == 3 && report.checkpoints == 2 && report.unchecked == 0)
    }

    @Test func aSegmentEndsAtAThousandRows() throws {
        let bench = try AuditBench()
        for _ in 0..<2500 { bench.shelf.append("t0") }
        bench.sealer().start()
        #expect(bench.shelf.books.withLock { $0.checkpoints.map(\.lastSeq) } == [1000, 2000])
        #expect(bench.shelf.books.withLock { $0.chains["t0"]?.seq } == 2500)
        let report = try bench.shelf.verify(bench.keys)
        #expect(report.isIntact && report.rows == 2500 && report.unchecked == 500)
    }

    @Test func aStopSealsAndSignsWhatIsThere() async throws {
        let bench = try AuditBench()
        let sealer = bench.sealer()
        sealer.start()
        for _ in 0..<700 { bench.shelf.append("t0") }
        await withCheckedContinuation { done in sealer.stop { done.resume() } }
        let report = try bench.shelf.verify(bench.keys)
        #expect(report.isIntact && report.rows == 700 && report.checkpoints == 3 && report.unchecked == 0)
    }

    @Test func aSealerThatNeverHadItsTurnStopsAtOnce() async throws {
        let bench = try AuditBench()
        let sealer = bench.sealer()
        await withCheckedContinuation { done in sealer.stop { done.resume() } }
    }

    /// Two sealers that both believe to have the lease, and rounds that are lost, or stored without an answer, at random:
    /// the chain goes on, and no row is in it twice.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func aChainGoesOnWhateverIsLost(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let bench = try AuditBench()
        let chance = Mutex(SeededGenerator(seed: seed &* 31))
        bench.shelf.fate.withLock {
            $0 = {
                chance.withLock { chance in
                    Int.random(in: 0..<3, using: &chance) == 0
                        ? AuditShelf.Fate.allCases.randomElement(using: &chance)! : .stored
                }
            }
        }
        let sealers = ["a", "b"].map(bench.sealer)
        for sealer in sealers { sealer.start() }
        let rows = Int.random(in: 1...300, using: &random)
        for _ in 0..<rows {
            bench.shelf.append("t\(Int.random(in: 0..<3, using: &random))", at: bench.clock.wall)
            if Bool.random(using: &random) { bench.clock.advance(.random(in: 1...3000, using: &random)) }
        }
        bench.shelf.fate.withLock { $0 = { .stored } }
        bench.clock.advance(200_000)
        let report = try bench.shelf.verify(bench.keys)
        #expect(report.findings.isEmpty && report.rows == Int64(rows) && report.unsealed == 0 && report.unchecked == 0)
        for tenant in bench.shelf.books.withLock({ $0.chains.keys.sorted() }) {
            let places = bench.shelf.books.withLock { books in
                books.rows.filter { $0.tenant == tenant }.map(\.seq).sorted()
            }
            #expect(places == Array(1...Int64(places.count)))
        }
    }

    @Test func removedSegmentsLeaveTheRestProvable() throws {
        var random = SeededGenerator(seed: 7)
        let bench = try AuditBench.filled(&random, rows: 120, tenants: 1)
        let middle = try #require(bench.shelf.books.withLock { $0.checkpoints.dropFirst(3).first?.newest })
        let retention = AuditRetention(bench.shelf.calls, storage: "sqlite", keys: bench.keys, key: "audit")
        let removed = Mutex<Int64>(0)
        let isOver = Mutex(false)
        while !isOver.withLock({ $0 }) {
            retention.removeOne(olderThan: middle, at: bench.clock.wall) { result in
                guard case .success(let rows?) = result else { return isOver.withLock { $0 = true } }
                removed.withLock { $0 += rows }
            }
        }
        bench.clock.advance(20_000)
        let report = try bench.shelf.verify(bench.keys)
        #expect(report.findings.isEmpty && report.removedSegments > 0 && removed.withLock { $0 } > 0)
        let words = bench.shelf.books.withLock { $0.rows.filter { $0.action == "remove_segment" }.count }
        #expect(words == Int(report.removedSegments))
        // What is removed by somebody else is found.
        bench.shelf.books.withLock { books in
            guard let index = books.checkpoints.firstIndex(where: { $0.removedAt == 0 }) else { return }
            let checkpoint = books.checkpoints[index]
            books.checkpoints[index].removedAt = 5
            books.rows.removeAll { $0.seq >= checkpoint.firstSeq && $0.seq <= checkpoint.lastSeq }
        }
        #expect(try bench.shelf.verify(bench.keys).findings.map(\.kind) == [.removalForged])
    }
}
