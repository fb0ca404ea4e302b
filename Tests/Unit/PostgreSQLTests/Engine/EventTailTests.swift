// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Testing

@testable import PostgreSQL

struct EventTailTests {
    @Test func nothingIsGivenBeforeTheFirstFencePasses() {
        var tail = EventTail(top: 7)
        #expect(tail.head == nil)
        #expect(tail.fenced(at: 100) == .look(isSoon: false))
        #expect(tail.looked([], oldest: 99) == .look(isSoon: true))
        #expect(tail.head == nil)
        #expect(tail.looked([], oldest: 100) == .rest)
        #expect(tail.head == 7)
    }

    @Test func aRunWithoutGapIsGivenAtOnce() {
        var tail = started(at: 3)
        #expect(tail.looked([4, 5, 6], oldest: 0) == .rest)
        #expect(tail.head == 6)
    }

    @Test func aGapWaitsForItsFenceOrToBeFilled() {
        var tail = started(at: 3)
        #expect(tail.looked([4, 6], oldest: 50) == .takeFence)
        #expect(tail.head == 4)
        #expect(tail.fenced(at: 60) == .look(isSoon: false))
        #expect(tail.looked([6, 7], oldest: 59) == .look(isSoon: true))
        #expect(tail.head == 4)
        var filled = tail
        #expect(filled.looked([5, 6, 7], oldest: 59) == .rest)
        #expect(filled.head == 7)
        // Decided up to 6; what followed without a gap goes along.
        #expect(tail.looked([6, 7], oldest: 60) == .rest)
        #expect(tail.head == 7)
    }

    private func started(at head: Int64) -> EventTail {
        var tail = EventTail(top: head)
        _ = tail.fenced(at: 1)
        _ = tail.looked([], oldest: 1)
        return tail
    }

    /// Transactions of a made-up server take numbers and positions, and commit or not, in any order; a reader that goes
    /// by the tail must have been given every committed event below its head.
    @Test(arguments: UInt64(0)..<200)
    func noHistoryLosesAnEvent(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var server = MadeUpServer()
        var tail = EventTail(top: 0)
        var action = EventTail.Action.takeFence
        for _ in 0..<400 {
            if Int.random(in: 0..<3, using: &random) > 0 {
                server.step(&random)
                continue
            }
            switch action {
            case .takeFence: action = tail.fenced(at: server.takeNumber())
            case .rest, .look:
                let before = tail.head ?? 0
                action = tail.looked(server.visible(after: tail.place), oldest: server.oldest)
                guard let head = tail.head else { continue }
                #expect(head >= before)
                // Whatever is still open will not appear at or below the head.
                #expect(server.undecided.allSatisfy { $0 > head })
            }
        }
        server.finishAll(&random)
        for _ in 0..<4 {
            if action == .takeFence { action = tail.fenced(at: server.takeNumber()) }
            action = tail.looked(server.visible(after: tail.place), oldest: server.oldest)
        }
        #expect(tail.head == server.committed.max() ?? 0)
    }
}

/// A server that gives numbers and positions, as far as a reader of the log can tell.
private struct MadeUpServer {
    private struct Transaction {
        var number: Int64
        var positions: [Int64] = []
    }

    private var open: [Transaction] = []
    private var nextNumber: Int64 = 1
    private var nextPosition: Int64 = 1
    private(set) var committed: Set<Int64> = []

    /// Every transaction below it has ended.
    var oldest: Int64 { open.map(\.number).min() ?? nextNumber }
    var undecided: [Int64] { open.flatMap(\.positions) }

    mutating func takeNumber() -> Int64 {
        defer { nextNumber += 1 }
        return nextNumber
    }

    func visible(after place: Int64) -> [Int64] {
        Array(committed.filter { $0 > place }.sorted().prefix(EventTail.batch))
    }

    mutating func step(_ random: inout SeededGenerator) {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: open.append(Transaction(number: takeNumber()))
        case 1, 2:
            guard let index = open.indices.randomElement(using: &random) else { return }
            open[index].positions.append(nextPosition)
            nextPosition += 1
        default:
            guard let index = open.indices.randomElement(using: &random) else { return }
            end(index, &random)
        }
    }

    private mutating func end(_ index: Int, _ random: inout SeededGenerator) {
        let transaction = open.remove(at: index)
        if Int.random(in: 0..<3, using: &random) > 0 { committed.formUnion(transaction.positions) }
    }

    mutating func finishAll(_ random: inout SeededGenerator) {
        while !open.isEmpty { end(0, &random) }
    }
}
