// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
public import TheatreContracts

/// Stored answers of mutating routes.
public enum AnswerRows {
    /// Stores the answer to the request of `context`, where the host asks for it; no statement elsewhere.
    ///
    /// A call made on behalf of a route's call answers its own caller and not the route's, so the host clears
    /// `answer_required` there and nothing is stored. Without an Idempotency-Key the request id is the key.
    public static func store(
        _ answer: SQLAnswer, _ context: HostContext, at now: Int64
    ) throws(StorageError) -> [HostStatement] {
        guard context.answerRequired else { return [] }
        let key = context.idempotencyKey.isEmpty ? context.requestID : context.idempotencyKey
        guard !context.route.isEmpty, !key.isEmpty else {
            throw StorageError(
                .failedPrecondition, "sql.no_request", "There is no route or request whose answer could be stored.")
        }
        return [
            HostStatement(
                """
                INSERT INTO host__answers (tenant, principal, route, key, request_digest, payload, status, created_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                """,
                [
                    SQLValue(context.tenant), SQLValue(context.principal), SQLValue(context.route), SQLValue(key),
                    SQLValue(context.requestDigest), SQLValue(answer.payload), SQLValue(Int64(answer.status)),
                    SQLValue(now),
                ],
                conflict: StorageError(
                    .aborted, "sql.answer_exists",
                    "An answer to this request is stored already; it is replayed instead."))
        ]
    }

    /// The answer under a key.
    public static func find(_ request: SQLFindAnswerRequest) -> HostPlan<SQLFindAnswerResponse> {
        HostPlan([
            HostStatement(
                """
                SELECT request_digest, payload, status FROM host__answers
                WHERE tenant = ?1 AND principal = ?2 AND route = ?3 AND key = ?4
                """,
                [
                    SQLValue(request.tenant), SQLValue(request.principal), SQLValue(request.route),
                    SQLValue(request.idempotencyKey),
                ])
        ]) { (results: [SQLRows]) throws(StorageError) in
            guard let values = results[0].rows.first?.values else { return SQLFindAnswerResponse() }
            return .with {
                $0.found = true
                $0.requestDigest = values[0].blob
                $0.answer.payload = values[1].blob
                $0.answer.status = UInt32(clamping: values[2].integer)
            }
        }
    }

    /// Removes up to `limit` answers stored before `time`, in milliseconds since 1970; gives how many.
    public static func remove(before time: Int64, limit: Int) -> HostPlan<Int> {
        HostPlan([
            HostStatement(
                """
                DELETE FROM host__answers WHERE (tenant, principal, route, key) IN (
                    SELECT tenant, principal, route, key FROM host__answers WHERE created_at < ?1 LIMIT ?2)
                """, [SQLValue(time), SQLValue(Int64(limit))])
        ]) { (results: [SQLRows]) throws(StorageError) in Int(results[0].changed) }
    }
}
