// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
public import TheatreContracts

/// Looking at the audit log.
extension AuditRows {
    static let checkpointColumns = """
        tenant, segment, first_seq, last_seq, previous_hash, last_hash, oldest, newest, signed_at, key_id, signature,
        removed_at, removal_key_id, removal_signature
        """

    /// Rows of one tenant, newest first.
    public static func search(_ request: SQLSearchAuditRequest) throws(StorageError) -> HostPlan<SQLSearchAuditResponse>
    {
        let limit = request.limit == 0 ? 50 : Int64(request.limit)
        guard limit <= 500 else {
            throw StorageError(.invalidArgument, "sql.audit_limit", "Up to 500 rows are found at once.")
        }
        // One more than asked for says whether there are more.
        var values = [SQLValue(request.tenant), SQLValue(limit + 1)]
        var conditions = ["tenant = ?1"]
        func ask(_ condition: String, _ value: SQLValue) {
            values.append(value)
            conditions.append("\(condition) ?\(values.count)")
        }
        if request.beforeID > 0 { ask("id <", SQLValue(request.beforeID)) }
        if request.from > 0 { ask("at >=", SQLValue(request.from)) }
        if request.to > 0 { ask("at <", SQLValue(request.to)) }
        for (column, text) in [
            ("principal", request.actor), ("resource", request.resource), ("action", request.action),
            ("outcome", request.outcome), ("project", request.project),
        ] where !text.isEmpty {
            ask("\(column) =", SQLValue(text))
        }
        let sql =
            "SELECT \(columns) FROM host__audit WHERE \(conditions.joined(separator: " AND ")) ORDER BY id DESC LIMIT ?2"
        return HostPlan([HostStatement(sql, values)]) { (results: [SQLRows]) throws(StorageError) in
            let rows = results[0].rows.prefix(Int(limit)).map { row($0) }
            return .with {
                $0.rows = rows
                $0.next = results[0].rows.count > Int(limit) ? rows.last?.id ?? 0 : 0
            }
        }
    }

    /// Chains by tenant.
    public static func listChains(_ request: SQLListChainsRequest) throws(StorageError) -> HostPlan<
        SQLListChainsResponse
    > {
        var values = [SQLValue(request.after), SQLValue(try bounded(request.limit, 100))]
        var condition = "tenant > ?1"
        if !request.tenant.isEmpty {
            values.append(SQLValue(request.tenant))
            condition += " AND tenant = ?3"
        }
        return HostPlan([
            HostStatement(
                """
                SELECT tenant, seq, hash, segments, checked_seq, checked_hash, open_since, oldest, newest
                FROM host__audit_chains WHERE \(condition) ORDER BY tenant LIMIT ?2
                """, values),
            HostStatement("SELECT COUNT(*) FROM host__audit WHERE seq = 0"),
        ]) { (results: [SQLRows]) throws(StorageError) in
            .with {
                $0.chains = results[0].rows.map { chain($0) }
                $0.unsealed = results[1].rows.first?.values.first?.integer ?? 0
            }
        }
    }

    /// Rows of a chain by their place.
    public static func readChain(_ request: SQLReadChainRequest) throws(StorageError) -> HostPlan<SQLReadChainResponse>
    {
        let end = request.toSeq == 0 ? Int64.max : request.toSeq
        return HostPlan([
            HostStatement(
                """
                SELECT \(columns) FROM host__audit
                WHERE tenant = ?1 AND seq > 0 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4
                """,
                [
                    SQLValue(request.tenant), SQLValue(max(0, request.afterSeq)), SQLValue(end),
                    SQLValue(try bounded(request.limit, 500)),
                ])
        ]) { (results: [SQLRows]) throws(StorageError) in .with { $0.rows = results[0].rows.map { row($0) } } }
    }

    /// Checkpoints by tenant and segment.
    public static func listCheckpoints(
        _ request: SQLListCheckpointsRequest
    ) throws(StorageError) -> HostPlan<SQLListCheckpointsResponse> {
        var values = [SQLValue(request.afterSegment), SQLValue(try bounded(request.limit, 500))]
        var conditions = ["segment > ?1"]
        if !request.tenant.isEmpty {
            values.append(SQLValue(request.tenant))
            conditions.append("tenant = ?\(values.count)")
        }
        if request.removableBefore > 0 {
            values.append(SQLValue(request.removableBefore))
            conditions.append("removed_at = 0 AND newest < ?\(values.count)")
        }
        let sql = """
            SELECT \(checkpointColumns) FROM host__audit_segments WHERE \(conditions.joined(separator: " AND "))
            ORDER BY tenant, segment LIMIT ?2
            """
        return HostPlan([HostStatement(sql, values)]) { (results: [SQLRows]) throws(StorageError) in
            .with { $0.checkpoints = results[0].rows.map { checkpoint($0) } }
        }
    }

    static func bounded(_ limit: UInt32, _ usual: Int64) throws(StorageError) -> Int64 {
        guard limit <= 1000 else {
            throw StorageError(.invalidArgument, "sql.audit_limit", "Up to 1000 rows are read at once.")
        }
        return limit == 0 ? usual : Int64(limit)
    }

    static func row(_ row: SQLRow) -> SQLAuditRow {
        let values = row.values
        return .with {
            $0.id = values[0].integer
            $0.at = values[1].integer
            $0.tenant = values[2].text
            $0.project = values[3].text
            $0.principal = values[4].text
            $0.route = values[5].text
            $0.resource = values[6].text
            $0.action = values[7].text
            $0.decision = values[8].text
            $0.requestID = values[9].text
            $0.idempotencyKey = values[10].text
            $0.requestDigest = values[11].blob
            $0.caller = values[12].text
            $0.outcome = values[13].text
            $0.reason = values[14].text
            $0.count = values[15].integer
            $0.network = values[16].text
            $0.seq = values[17].integer
            $0.hash = values[18].blob
        }
    }

    private static func checkpoint(_ row: SQLRow) -> SQLAuditCheckpoint {
        let values = row.values
        return .with {
            $0.tenant = values[0].text
            $0.segment = values[1].integer
            $0.firstSeq = values[2].integer
            $0.lastSeq = values[3].integer
            $0.previousHash = values[4].blob
            $0.lastHash = values[5].blob
            $0.oldest = values[6].integer
            $0.newest = values[7].integer
            $0.signedAt = values[8].integer
            $0.keyID = values[9].text
            $0.signature = values[10].blob
            $0.removedAt = values[11].integer
            $0.removalKeyID = values[12].text
            $0.removalSignature = values[13].blob
        }
    }
}
