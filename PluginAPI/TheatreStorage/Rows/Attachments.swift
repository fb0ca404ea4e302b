// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
public import TheatreContracts

/// What is stored with a commit, in its transaction.
public enum Attachments {
    /// The answer, the audit row where the route asks for one, and the events.
    ///
    /// `changed` says whether a statement of the transaction changed a row: then, and where it answers, it is audited.
    /// The response has no results yet.
    public static func plan(
        _ attachments: SQLAttachments, changed: Bool, for scope: CallerScope, at now: Int64,
        newID: (String, Int64) -> String, _ dialect: Dialect
    ) throws(StorageError) -> HostPlan<SQLCommitResponse> {
        let context = scope.context
        var statements: [HostStatement] = []
        if attachments.hasAnswer { statements += try AnswerRows.store(attachments.answer, context, at: now) }
        if context.audit == "change", attachments.hasAnswer || (changed && !context.route.isEmpty) {
            statements.append(AuditRows.append(context, at: now, outcome: "changed", reason: "", count: 1))
        }
        let events = try EventRows.append(
            attachments.events, context, at: now, eventID: { newID("evt", $0) }, dialect)
        let range = statements.count..<(statements.count + events.count)
        statements += events
        return HostPlan(statements) { (results: [SQLRows]) throws(StorageError) in
            .with { $0.lastOffset = EventRows.lastPosition(results[range]) }
        }
    }
}
