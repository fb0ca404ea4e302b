// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
public import TheatreContracts

/// Rows of the audit log.
public enum AuditRows {
    /// Adds a row about the request of `context`; `at` in milliseconds since 1970.
    public static func append(
        _ context: HostContext, at now: Int64, outcome: String, reason: String, count: UInt32
    ) -> HostStatement {
        HostStatement(
            """
            INSERT INTO host__audit (at, tenant, project, principal, route, resource, action, decision, request_id,
                idempotency_key, request_digest, caller, outcome, reason, count, network)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
            """,
            [
                SQLValue(now), SQLValue(context.tenant), SQLValue(context.project), SQLValue(context.principal),
                SQLValue(context.route), SQLValue(context.resource), SQLValue(context.action),
                SQLValue(context.decision),
                SQLValue(context.requestID), SQLValue(kept(context.idempotencyKey)), SQLValue(context.requestDigest),
                SQLValue(context.caller), SQLValue(outcome), SQLValue(reason), SQLValue(Int64(count)),
                SQLValue(context.network),
            ])
    }

    /// A client's key that has the form of a UUID or ULID; `-` for any other: it may be somebody's address or name.
    static func kept(_ key: String) -> String {
        let bytes = Array(key.utf8)
        let isUUID =
            bytes.count == 36
            && bytes.indices.allSatisfy { index in
                [8, 13, 18, 23].contains(index)
                    ? bytes[index] == UInt8(ascii: "-") : Character(Unicode.Scalar(bytes[index])).isHexDigit
            }
        let isULID =
            bytes.count == 26
            && bytes.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
            }
        return isUUID || isULID || key.isEmpty ? key : "-"
    }

    /// Adds the rows of a request that no commit carries.
    public static func append(_ request: SQLAppendAuditRequest) throws(StorageError) -> [HostStatement] {
        var statements: [HostStatement] = []
        for (index, entry) in request.entries.enumerated() {
            let context: HostContext
            do {
                context = try HostContext(serializedBytes: entry.context)
            } catch {
                throw StorageError(
                    .invalidArgument, "sql.audit_context", "The context of an audit row cannot be read.",
                    detail: "/entries/\(index)/context")
            }
            statements.append(
                append(
                    context, at: entry.at, outcome: entry.outcome, reason: entry.reason, count: max(1, entry.count)))
        }
        return statements
    }
}
