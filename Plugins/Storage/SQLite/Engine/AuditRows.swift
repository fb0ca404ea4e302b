// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts

/// Rows of the audit log.
enum AuditRows {
    /// Adds a row about the request of `context`.
    static func append(
        _ context: HostContext, at now: Int64, outcome: String, reason: String, count: UInt32, on connection: Connection
    ) throws(SQLiteError) {
        try connection.execute(
            """
            INSERT INTO host__audit (at, tenant, project, principal, route, resource, action, decision, request_id,
                idempotency_key, request_digest, caller, outcome, reason, count)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
            """,
            [
                SQLValue(now), SQLValue(context.tenant), SQLValue(context.project), SQLValue(context.principal),
                SQLValue(context.route), SQLValue(context.resource), SQLValue(context.action),
                SQLValue(context.decision),
                SQLValue(context.requestID), SQLValue(context.idempotencyKey), SQLValue(context.requestDigest),
                SQLValue(context.caller), SQLValue(outcome), SQLValue(reason), SQLValue(Int64(count)),
            ])
    }
}
