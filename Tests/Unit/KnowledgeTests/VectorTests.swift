// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SeededRandom
import Synchronization
import Testing

@testable import Knowledge

/// The exact search, against one that is as plain as can be.
struct VectorTests {
    private static func naive(_ rows: [[Float]], _ question: [Float], _ count: Int) -> [Int] {
        func cosine(_ a: [Float], _ b: [Float]) -> Double {
            let product = zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            let lengths = [a, b].map { $0.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot() }
            return product / (lengths[0] * lengths[1])
        }
        return rows.indices.map { ($0, cosine(rows[$0], question)) }
            .sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }.prefix(count).map(\.0)
    }

    @Test(arguments: [1, 3, 16, 17, 64, 65, 100, 128]) func theKernelFindsWhatAPlainOneFinds(_ dimensions: Int) {
        var random = SeededGenerator(seed: UInt64(dimensions))
        func vector() -> [Float] { (0..<dimensions).map { _ in Float.random(in: -1...1, using: &random) } }
        let rows = (0..<80).map { _ in vector() }
        var matrix = VectorMatrix(dimensions: dimensions)
        let added = rows.map { matrix.append($0) }
        #expect(added.allSatisfy { $0 })
        let isTaken = matrix.append([Float](repeating: 1, count: dimensions + 1))
        #expect(!isTaken && matrix.rows == 80)
        for _ in 0..<5 {
            let question = vector()
            let found = matrix.nearest(to: question, count: 10)
            if dimensions > 1 { #expect(found.map(\.row) == Self.naive(rows, question, 10)) }
            #expect(found.count == 10 && zip(found, found.dropFirst()).allSatisfy { $0.score >= $1.score })
            #expect(found.allSatisfy { abs($0.score) <= 1.0001 })
        }
        #expect(matrix.nearest(to: [1] + vector(), count: 3).isEmpty)
    }

    @Test func equalsComeInTheirOrderAndNothingIsNoFault() {
        var matrix = VectorMatrix(dimensions: 2)
        for _ in 0..<9 { _ = matrix.append([2, 0]) }
        _ = matrix.append([0, 0])
        _ = matrix.append([.nan, 1])
        #expect(matrix.nearest(to: [1, 0], count: 4).map(\.row) == [0, 1, 2, 3])
        #expect(matrix.nearest(to: [0, 0], count: 2).map(\.score) == [0, 0])
        #expect(matrix.nearest(to: [1, 0], count: 0).isEmpty)
    }

    @Test(arguments: 1...20) func theHeapKeepsTheBest(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let scores = (0..<200).map { _ in Float(Int.random(in: 0...30, using: &random)) }
        var best = TopRanked(17)
        for (row, score) in scores.enumerated() { best.offer(row, score) }
        let expected = scores.enumerated().sorted {
            $0.element != $1.element ? $0.element > $1.element : $0.offset < $1.offset
        }
        #expect(best.sorted.map(\.row) == expected.prefix(17).map(\.offset))
    }

    @Test func ranksAreFused() {
        let fused = RankFusion.fuse(text: [7, 3, 9], vectors: [3, 5])
        #expect(fused.map(\.number) == [3, 7, 5, 9])
        #expect(fused[0].textRank == 2 && fused[0].vectorRank == 1 && fused[0].score == 1 / 62.0 + 1 / 61.0)
        #expect(RankFusion.fuse(text: [2, 1], vectors: [1, 2]).map(\.number) == [1, 2])
        #expect(RankFusion.fuse(text: [], vectors: []).isEmpty)
    }

    @Test func vectorsAreStoredAsTheyAre() {
        let vector: [Float] = [0, -0.5, .pi, .leastNonzeroMagnitude, 1e30]
        #expect(VectorBytes.decode(VectorBytes.encode(vector)) == vector)
        #expect(VectorBytes.encode([1]) == Data([0, 0, 0x80, 0x3F]))
        #expect(VectorBytes.decode(Data([1, 2, 3])) == nil)
    }

    /// What was loaded, in order.
    private final class Loads: Sendable {
        private let names = Mutex<[String]>([])
        var all: [String] { names.withLock { $0 } }
        func add(_ name: String) { names.withLock { $0.append(name) } }
    }

    private static func matrix(_ rows: Int) -> VectorMatrix {
        var matrix = VectorMatrix(dimensions: 16)
        for _ in 0..<rows { _ = matrix.append([Float](repeating: 1, count: 16)) }
        return matrix
    }

    @Test func theShelfForgetsWhatWasNotAskedForLongest() async throws {
        let shelf = MatrixShelf(bytes: 64 * 5)
        let loads = Loads()
        func ask(_ version: String, _ rows: Int) async throws -> Int {
            try await shelf.matrix(.init(tenant: "t", version: version)) {
                loads.add(version)
                return Self.matrix(rows)
            }.rows
        }
        for (version, rows) in [("a", 2), ("b", 2), ("a", 2), ("c", 2), ("a", 2), ("b", 2), ("huge", 6), ("b", 2)] {
            #expect(try await ask(version, rows) == rows)
        }
        #expect(loads.all == ["a", "b", "c", "b", "huge"])
        #expect(shelf.load.matrices == 2 && shelf.load.bytes == 64 * 4)
    }

    /// Who asks for what is being loaded waits for it, and tries himself where that failed.
    @Test func theShelfLoadsOnceForAllWhoAsk() async throws {
        let shelf = MatrixShelf(bytes: 1 << 20)
        let loads = Loads()
        let key = MatrixShelf.Key(tenant: "t", version: "v")
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await shelf.matrix(key) {
                        loads.add("v")
                        await Task.yield()
                        return Self.matrix(3)
                    }.rows
                }
            }
            for try await rows in group { #expect(rows == 3) }
        }
        #expect(loads.all == ["v"])
        struct Lost: Error {}
        let other = MatrixShelf.Key(tenant: "u", version: "v")
        await #expect(throws: Lost.self) { try await shelf.matrix(other) { throw Lost() } }
        #expect(try await shelf.matrix(other) { Self.matrix(1) }.rows == 1)
    }
}
