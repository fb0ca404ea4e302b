// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
public import TheatreContracts

/// Chains of audit rows, as they grow and as whole segments go.
extension AuditRows {
    static let columns = """
        id, at, tenant, project, principal, route, resource, action, decision, request_id, idempotency_key,
        request_digest, caller, outcome, reason, count, network, seq, hash
        """
    private static let chainColumns =
        "tenant, seq, hash, segments, checked_seq, checked_hash, open_since, oldest, newest"

    /// Rows that are in no chain, with the chains they go to.
    public static func readUnsealed(
        _ request: SQLReadUnsealedRequest
    ) throws(StorageError) -> HostPlan<SQLReadUnsealedResponse> {
        let limit = SQLValue(try bounded(request.limit, 256))
        return HostPlan([
            HostStatement("SELECT \(columns) FROM host__audit WHERE seq = 0 ORDER BY id LIMIT ?1", [limit]),
            HostStatement(
                """
                SELECT \(chainColumns) FROM host__audit_chains WHERE tenant IN (SELECT tenant FROM
                    (SELECT tenant FROM host__audit WHERE seq = 0 ORDER BY id LIMIT ?1) AS page)
                """, [limit]),
            HostStatement(
                """
                SELECT \(chainColumns) FROM host__audit_chains WHERE open_since > 0 AND open_since < ?1
                ORDER BY open_since LIMIT 256
                """, [SQLValue(request.openBefore)]),
        ]) { (results: [SQLRows]) throws(StorageError) in
            let ofRows = results[1].rows.map { chain($0) }
            let known = Set(ofRows.map(\.tenant))
            return .with {
                $0.rows = results[0].rows.map { row($0) }
                $0.chains = ofRows + results[2].rows.map { chain($0) }.filter { !known.contains($0.tenant) }
            }
        }
    }

    /// Makes chains longer. Two sealers that saw the same end of a chain: the second changes no row of it, and nothing of
    /// what it brings is kept.
    public static func seal(_ request: SQLSealRequest) throws(StorageError) -> HostPlan<SQLSealResponse> {
        var statements: [HostStatement] = []
        // In one order everywhere, so that two sealers wait for each other and never in a circle.
        for step in request.steps.sorted(by: { $0.to.tenant < $1.to.tenant }) {
            guard step.from.tenant == step.to.tenant, step.to.seq == step.from.seq + Int64(step.rows.count) else {
                throw StorageError(
                    .invalidArgument, "sql.audit_step", "A chain does not stand where its rows lead it.",
                    detail: "/steps/\(step.to.tenant)")
            }
            statements.append(move(step, token: request.fencingToken))
            for row in step.rows {
                statements.append(
                    HostStatement(
                        "UPDATE host__audit SET seq = ?1, hash = ?2 WHERE id = ?3 AND tenant = ?4 AND seq = 0",
                        [SQLValue(row.seq), SQLValue(row.hash), SQLValue(row.id), SQLValue(step.to.tenant)],
                        expect: 1, unexpected: moved, conflict: moved))
            }
            if step.hasCheckpoint { statements.append(insert(step.checkpoint)) }
        }
        return HostPlan(statements) { (_: [SQLRows]) throws(StorageError) in SQLSealResponse() }
    }

    /// Removes the rows of a segment, and stores beside its checkpoint that they were.
    public static func removeSegment(
        _ request: SQLRemoveSegmentRequest
    ) throws(StorageError) -> HostPlan<SQLRemoveSegmentResponse> {
        let checkpoint = request.checkpoint
        guard checkpoint.removedAt > 0 else {
            throw StorageError(.invalidArgument, "sql.audit_step", "A removal has a time.", detail: "/removed_at")
        }
        return HostPlan([
            HostStatement(
                """
                UPDATE host__audit_segments SET removed_at = ?1, removal_key_id = ?2, removal_signature = ?3
                WHERE tenant = ?4 AND segment = ?5 AND first_seq = ?6 AND last_seq = ?7 AND signature = ?8
                    AND removed_at = 0
                """,
                [
                    SQLValue(checkpoint.removedAt), SQLValue(checkpoint.removalKeyID),
                    SQLValue(checkpoint.removalSignature), SQLValue(checkpoint.tenant), SQLValue(checkpoint.segment),
                    SQLValue(checkpoint.firstSeq), SQLValue(checkpoint.lastSeq), SQLValue(checkpoint.signature),
                ], expect: 1, unexpected: moved),
            HostStatement(
                "DELETE FROM host__audit WHERE tenant = ?1 AND seq > 0 AND seq >= ?2 AND seq <= ?3",
                [SQLValue(checkpoint.tenant), SQLValue(checkpoint.firstSeq), SQLValue(checkpoint.lastSeq)]),
        ]) { (results: [SQLRows]) throws(StorageError) in .with { $0.removed = Int64(results[1].changed) } }
    }

    private static let moved = StorageError(
        .failedPrecondition, "sql.audit_moved", "The chain is not where it was; read it again.", retry: .safe)

    private static func move(_ step: SQLChainStep, token: Int64) -> HostStatement {
        let to = step.to
        let values = [
            SQLValue(to.tenant), SQLValue(to.seq), SQLValue(to.hash), SQLValue(to.segments), SQLValue(to.checkedSeq),
            SQLValue(to.checkedHash), SQLValue(to.openSince), SQLValue(to.oldest), SQLValue(to.newest), SQLValue(token),
        ]
        guard step.from.seq > 0 || step.from.segments > 0 else {
            return HostStatement(
                """
                INSERT INTO host__audit_chains (\(chainColumns), fencing_token)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (tenant) DO NOTHING
                """, values, expect: 1, unexpected: moved)
        }
        return HostStatement(
            """
            UPDATE host__audit_chains SET seq = ?2, hash = ?3, segments = ?4, checked_seq = ?5, checked_hash = ?6,
                open_since = ?7, oldest = ?8, newest = ?9, fencing_token = ?10
            WHERE tenant = ?1 AND seq = ?11 AND hash = ?12 AND segments = ?13 AND fencing_token <= ?10
            """,
            values + [SQLValue(step.from.seq), SQLValue(step.from.hash), SQLValue(step.from.segments)],
            expect: 1, unexpected: moved)
    }

    private static func insert(_ checkpoint: SQLAuditCheckpoint) -> HostStatement {
        HostStatement(
            """
            INSERT INTO host__audit_segments (\(checkpointColumns))
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
            """,
            [
                SQLValue(checkpoint.tenant), SQLValue(checkpoint.segment), SQLValue(checkpoint.firstSeq),
                SQLValue(checkpoint.lastSeq), SQLValue(checkpoint.previousHash), SQLValue(checkpoint.lastHash),
                SQLValue(checkpoint.oldest), SQLValue(checkpoint.newest), SQLValue(checkpoint.signedAt),
                SQLValue(checkpoint.keyID), SQLValue(checkpoint.signature), SQLValue(Int64(0)), SQLValue(""),
                SQLValue(checkpoint.removalSignature),
            ], conflict: moved)
    }

    static func chain(_ row: SQLRow) -> SQLAuditChain {
        let values = row.values
        return .with {
            $0.tenant = values[0].text
            $0.seq = values[1].integer
            $0.hash = values[2].blob
            $0.segments = values[3].integer
            $0.checkedSeq = values[4].integer
            $0.checkedHash = values[5].blob
            $0.openSince = values[6].integer
            $0.oldest = values[7].integer
            $0.newest = values[8].integer
        }
    }
}
