// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// A storage's audit log in memory, with the rules of theatre.sql.v1.Audit, that can be tampered with.
final class AuditShelf: Sendable {
    struct Books: Sendable {
        var rows: [SQLAuditRow] = []
        var chains: [String: SQLAuditChain] = [:]
        var checkpoints: [SQLAuditCheckpoint] = []
        var nextID: Int64 = 1
    }

    /// What becomes of a call to Seal.
    enum Fate: CaseIterable {
        case stored, lost, storedAndUnanswered
    }

    let books = Mutex(Books())
    let calls = FakeCalls()
    /// Sealers live as long as what they seal.
    let sealers = Mutex<[AuditSealer]>([])
    let fate = Mutex<@Sendable () -> Fate>({ .stored })

    init() {
        serve("ReadUnsealed") { (request: SQLReadUnsealedRequest, books) -> SQLReadUnsealedResponse in
            let rows = Array(books.rows.filter { $0.seq == 0 }.sorted { $0.id < $1.id }.prefix(Int(request.limit)))
            let tenants = Set(rows.map(\.tenant))
            return .with {
                $0.rows = rows
                $0.chains = books.chains.values.filter {
                    tenants.contains($0.tenant) || ($0.openSince > 0 && $0.openSince < request.openBefore)
                }
            }
        }
        serve("Seal") { [self] (request: SQLSealRequest, books) -> SQLSealResponse in
            let chosen = self.fate.withLock { $0 }()
            if chosen == .lost { throw CallError(.unavailable, "sql.busy", "It did not come.") }
            var next = books
            for step in request.steps { try Self.apply(step, to: &next) }
            books = next
            if chosen == .storedAndUnanswered { throw Unanswered() }
            return SQLSealResponse()
        }
        serve("ListChains") { (request: SQLListChainsRequest, books) -> SQLListChainsResponse in
            .with {
                $0.chains = books.chains.values.sorted { $0.tenant < $1.tenant }
                    .filter { $0.tenant > request.after && (request.tenant.isEmpty || $0.tenant == request.tenant) }
                $0.unsealed = Int64(books.rows.count { $0.seq == 0 })
            }
        }
        serve("ListCheckpoints") { (request: SQLListCheckpointsRequest, books) -> SQLListCheckpointsResponse in
            .with {
                $0.checkpoints = Array(
                    books.checkpoints.filter {
                        (request.tenant.isEmpty || $0.tenant == request.tenant) && $0.segment > request.afterSegment
                            && (request.removableBefore == 0
                                || ($0.removedAt == 0 && $0.newest < request.removableBefore))
                    }.prefix(Int(request.limit)))
            }
        }
        serve("ReadChain") { (request: SQLReadChainRequest, books) -> SQLReadChainResponse in
            .with {
                $0.rows = Array(
                    books.rows.filter {
                        $0.tenant == request.tenant && $0.seq > request.afterSeq
                            && $0.seq <= (request.toSeq == 0 ? .max : request.toSeq)
                    }.sorted { $0.seq < $1.seq }.prefix(Int(request.limit)))
            }
        }
        serve("RemoveSegment") { (request: SQLRemoveSegmentRequest, books) -> SQLRemoveSegmentResponse in
            let gone = request.checkpoint
            for index in books.checkpoints.indices
            where books.checkpoints[index].tenant == gone.tenant && books.checkpoints[index].segment == gone.segment {
                books.checkpoints[index] = gone
            }
            let before = books.rows.count
            books.rows.removeAll { $0.tenant == gone.tenant && $0.seq >= gone.firstSeq && $0.seq <= gone.lastSeq }
            let removed = Int64(before - books.rows.count)
            return .with { $0.removed = removed }
        }
        calls.serve("sqlite", "theatre.sql.v1.Database/AppendAudit") {
            [self] (request: SQLAppendAuditRequest, _) -> SQLAppendAuditResponse? in
            for entry in request.entries {
                let context = try HostContext(serializedBytes: entry.context)
                append(context.tenant, actor: context.principal, action: context.action, at: entry.at)
            }
            return .init()
        }
    }

    /// A commit.
    func append(_ tenant: String, actor: String = "usr_1", action: String = "create", at time: Int64 = 1) {
        books.withLock { books in
            books.rows.append(
                .with {
                    $0.id = books.nextID
                    $0.at = time
                    $0.tenant = tenant
                    $0.principal = actor
                    $0.action = action
                    $0.route = "POST /api/v1/things"
                    $0.resource = "thing"
                    $0.outcome = "changed"
                    $0.count = 1
                    $0.requestID = "req_\(books.nextID)"
                })
            books.nextID += 1
        }
    }

    func verify(
        _ keys: any KeySource, tenant: String = "", from: Int64 = 0, to: Int64 = 0, most: Int64 = .max
    ) throws -> AuditReport {
        let known = try #require(AuditPublicKeys(keys.publicKeys(of: "audit").map { Data($0.utf8) }))
        var walk = AuditWalk(tenant: tenant, from: from, to: to, keys: known, most: most)
        while true {
            switch walk.next() {
            case .chains(let request): walk.take(try ask("ListChains", request, SQLListChainsResponse.self))
            case .checkpoints(let request):
                walk.take(try ask("ListCheckpoints", request, SQLListCheckpointsResponse.self))
            case .rows(let request): walk.take(try ask("ReadChain", request, SQLReadChainResponse.self))
            case .done(let report): return report
            }
        }
    }

    /// As `theatre audit export` writes it.
    func export() throws -> [AuditExport.Line] {
        let books = books.withLock { $0 }
        var lines: [AuditExport.Line] = []
        for chain in books.chains.values.sorted(by: { $0.tenant < $1.tenant }) {
            lines.append(.chain(chain))
            let rows = books.rows.filter { $0.tenant == chain.tenant && $0.seq > 0 }.sorted { $0.seq < $1.seq }
            for checkpoint in books.checkpoints where checkpoint.tenant == chain.tenant {
                lines.append(.checkpoint(checkpoint))
                lines += rows.filter { $0.seq >= checkpoint.firstSeq && $0.seq <= checkpoint.lastSeq }.map { .row($0) }
            }
            lines.append(.tail(chain.tenant))
            lines += rows.filter { $0.seq > chain.checkedSeq }.map { .row($0) }
        }
        return lines
    }

    private struct Unanswered: Error {}

    private func ask<Request: Message, Response: Message>(
        _ operation: String, _ request: Request, _ type: Response.Type
    ) throws -> Response {
        let answer = Mutex<Result<Response, CallError>?>(nil)
        UnaryCaller(calls: calls).call("sqlite", "theatre.sql.v1.Audit/\(operation)", request, .system) {
            (result: Result<Response, CallError>) in answer.withLock { $0 = result }
        }
        return try #require(answer.withLock { $0 }).get()
    }

    private func serve<Request: Message, Response: Message>(
        _ operation: String, _ body: @escaping @Sendable (Request, inout Books) throws -> Response
    ) {
        calls.serve("sqlite", "theatre.sql.v1.Audit/\(operation)") {
            [self] (request: Request, _) -> Response? in
            do { return try books.withLock { try body(request, &$0) } } catch is Unanswered {
                throw CallError(.unavailable, "sql.connection_lost", "Nobody knows.", effect: .unknown)
            }
        }
    }

    private static func apply(_ step: SQLChainStep, to books: inout Books) throws {
        let moved = CallError(.failedPrecondition, "sql.audit_moved", "The chain is not where it was.")
        let chain = books.chains[step.to.tenant] ?? .with { $0.tenant = step.to.tenant }
        guard chain.seq == step.from.seq, chain.hash == step.from.hash, chain.segments == step.from.segments else {
            throw moved
        }
        for row in step.rows {
            guard let index = books.rows.firstIndex(where: { $0.id == row.id }), books.rows[index].seq == 0 else {
                throw moved
            }
            books.rows[index].seq = row.seq
            books.rows[index].hash = row.hash
        }
        books.chains[step.to.tenant] = step.to
        if step.hasCheckpoint { books.checkpoints.append(step.checkpoint) }
    }
}
