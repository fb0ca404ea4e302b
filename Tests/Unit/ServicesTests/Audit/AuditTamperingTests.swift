// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SeededRandom
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// What somebody who may write the database can do to a sealed log, and that it is found, and where.
@Suite struct AuditTamperingTests {
    enum Tampering: CaseIterable {
        case change, changeAndHash, rewriteAll, remove, removeMany, insert, swap, cutTail, forgeCheckpoint,
            moveCheckpoint, removeCheckpoint, resign, backdate
    }

    @Test(arguments: Tampering.allCases, 1...5 as ClosedRange<UInt64>)
    func tamperingIsFoundAndWhere(_ tampering: Tampering, _ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let bench = try AuditBench.filled(&random, rows: 60)
        #expect(try bench.shelf.verify(bench.keys).isIntact)
        let place = try bench.shelf.books.withLock { try Self.tamper(tampering, with: &$0, &random) }
        for report in [try bench.shelf.verify(bench.keys), try Self.ofExport(bench)] {
            #expect(!report.isIntact)
            // No finding is before the place, and the first one is at it, right behind it or at its segment's end.
            let first = try #require(report.findings.first { $0.tenant == place.tenant })
            #expect(place.places.contains(first.seq) || place.segments.contains(first.segment), "\(first)")
            #expect(!report.findings.contains { $0.tenant != place.tenant })
        }
    }

    @Test func theWrongKeyProvesNothing() throws {
        var random = SeededGenerator(seed: 3)
        let bench = try AuditBench.filled(&random, rows: 20)
        let report = try bench.shelf.verify(try OneKey())
        #expect(Set(report.findings.map(\.kind)) == [.unknownKey])
    }

    @Test func anExportIsTheSameOverItsText() throws {
        var random = SeededGenerator(seed: 4)
        let bench = try AuditBench.filled(&random, rows: 40)
        let lines = try bench.shelf.export()
        #expect(try lines.map { try AuditExport.Line($0.text()) } == lines)
        let report = try Self.ofExport(bench)
        #expect(report.isIntact && report.rows == 40 && report.chains == 2)
        for text in ["", "{}", "{\"row\":}", "{\"rows\":{}}", "row"] {
            #expect(throws: (any Error).self) { try AuditExport.Line(text) }
        }
    }

    @Test func aBoundedWalkSaysWhereToGoOn() throws {
        var random = SeededGenerator(seed: 5)
        let bench = try AuditBench.filled(&random, rows: 80, tenants: 1)
        var from: Int64 = 0
        var rows: Int64 = 0
        var rounds = 0
        repeat {
            let report = try bench.shelf.verify(bench.keys, from: from, most: 30)
            #expect(report.isIntact)
            rows += report.rows
            from = report.nextFrom
            rounds += 1
        } while from > 0 && rounds < 100
        #expect(rounds > 1 && rounds < 100 && rows >= 80)
    }

    @Test func theEncodingIsAsTheReadMeHasIt() throws {
        let row = SQLAuditRow.with {
            $0.at = 1_700_000_000_000
            $0.tenant = "default"
            $0.principal = "usr_1"
            $0.route = "POST /api/v1/orders"
            $0.resource = "order"
            $0.action = "create"
            $0.outcome = "changed"
            $0.count = 1
            $0.requestDigest = Data([1, 2, 3])
            $0.network = "203.0.113.0/24"
        }
        let hash = AuditBytes.hash(row, at: 1, after: Data())
        #expect(hash.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() == Self.vector)
    }

    /// Worked out by another program from the README's words.
    static let vector = "6e782b340904a990095b25328fcdd61ecc84691e5db0b3b30915b9958ddd31d5"

    private static func ofExport(_ bench: AuditBench) throws -> AuditReport {
        let keys = try #require(AuditPublicKeys(bench.keys.publicKeys(of: "audit").map { Data($0.utf8) }))
        var verifier = AuditExport.Verifier(tenant: "", keys: keys)
        for line in try bench.shelf.export() { verifier.take(line) }
        verifier.end()
        return verifier.report
    }

    struct Place {
        var tenant: String
        var places: Set<Int64> = []
        var segments: Set<Int64> = []
    }

    /// Below the last checkpoint of a tenant.
    private static func tamper(
        _ tampering: Tampering, with books: inout AuditShelf.Books, _ random: inout SeededGenerator
    ) throws -> Place {
        let at = try #require(books.checkpoints.indices.randomElement(using: &random))
        let checkpoint = books.checkpoints[at]
        let tenant = checkpoint.tenant
        func index(_ seq: Int64) -> Int { books.rows.firstIndex { $0.tenant == tenant && $0.seq == seq } ?? 0 }
        let seq = Int64.random(in: checkpoint.firstSeq...checkpoint.lastSeq, using: &random)
        let segment: Set<Int64> = [checkpoint.segment]
        switch tampering {
        case .change:
            change(&books.rows[index(seq)], &random)
            return Place(tenant: tenant, places: [seq])
        case .changeAndHash:
            let row = index(seq)
            change(&books.rows[row], &random)
            let previous = seq == 1 ? Data() : books.rows[index(seq - 1)].hash
            books.rows[row].hash = AuditBytes.hash(books.rows[row], at: seq, after: previous)
            return Place(tenant: tenant, places: [seq, seq + 1])
        case .rewriteAll:
            change(&books.rows[index(seq)], &random)
            var previous = seq == 1 ? Data() : books.rows[index(seq - 1)].hash
            for next in seq...checkpoint.lastSeq {
                previous = AuditBytes.hash(books.rows[index(next)], at: next, after: previous)
                books.rows[index(next)].hash = previous
            }
            return Place(tenant: tenant, segments: segment)
        case .remove:
            books.rows.remove(at: index(seq))
            return Place(tenant: tenant, places: [seq])
        case .removeMany:
            books.rows.removeAll { $0.tenant == tenant && $0.seq >= seq && $0.seq <= checkpoint.lastSeq }
            return Place(tenant: tenant, places: [seq])
        case .insert:
            var row = books.rows[index(seq)]
            row.id = books.nextID
            row.action = "never"
            books.rows.insert(row, at: index(seq) + Int.random(in: 0...1, using: &random))
            return Place(tenant: tenant, places: [seq])
        case .swap:
            let count = books.chains[tenant]?.checkedSeq ?? 0
            guard count > 1 else {
                change(&books.rows[index(seq)], &random)
                return Place(tenant: tenant, places: [seq])
            }
            let first = Int64.random(in: 1..<count, using: &random)
            let (left, right) = (index(first), index(first + 1))
            (books.rows[left].seq, books.rows[right].seq) = (first + 1, first)
            return Place(tenant: tenant, places: [first, first + 1])
        case .cutTail:
            let end = books.chains[tenant]?.checkedSeq ?? 0
            let from = Int64.random(in: 1...end, using: &random)
            books.rows.removeAll { $0.tenant == tenant && $0.seq >= from }
            return Place(tenant: tenant, places: [from])
        case .forgeCheckpoint:
            let bit = Int.random(in: 0..<checkpoint.signature.count, using: &random)
            books.checkpoints[at].signature[bit] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            return Place(tenant: tenant, segments: segment)
        case .moveCheckpoint:
            books.checkpoints[at].lastHash = Data(repeating: 9, count: 32)
            return Place(tenant: tenant, segments: segment)
        case .removeCheckpoint:
            books.checkpoints.remove(at: at)
            return Place(tenant: tenant, places: Set(checkpoint.firstSeq...checkpoint.lastSeq), segments: segment)
        case .resign:
            // Signed anew by a key of one's own, under the name of the host's.
            change(&books.rows[index(seq)], &random)
            let own = try OneKey()
            books.checkpoints[at].lastHash = Data(repeating: 9, count: 32)
            books.checkpoints[at].signature = Data(
                try own.version.sign(AuditBytes.signed(books.checkpoints[at])))
            return Place(tenant: tenant, places: [seq], segments: segment)
        case .backdate:
            books.checkpoints[at].newest -= 1
            return Place(tenant: tenant, segments: segment)
        }
    }

    private static func change(_ row: inout SQLAuditRow, _ random: inout SeededGenerator) {
        switch Int.random(in: 0..<9, using: &random) {
        case 0: row.at += 1
        case 1: row.principal += "x"
        case 2: row.action = "delete"
        case 3: row.outcome = "read"
        case 4: row.count += 1
        case 5: row.requestDigest = Data([7])
        case 6: row.network = "198.51.100.0/24"
        // What stood in one field stands in the next: the fields' lengths are hashed, too.
        case 7: (row.route, row.resource) = (row.route + row.resource.prefix(1), String(row.resource.dropFirst()))
        default: row.reason = "none"
        }
    }
}
