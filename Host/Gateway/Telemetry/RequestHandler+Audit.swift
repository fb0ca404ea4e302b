// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest

extension RequestHandler {
    /// Answers a request that may not be made, and has it audited.
    func refuse(_ exchange: Exchange, _ error: ErrorResponse) {
        if let entry = exchange.entry, let audit = core.services.audit {
            var context = makeContext(exchange, entry).message
            if error.decision.isEmpty { context.decision = "refused: \(error.reason)" }
            context.answerRequired = false
            let record = AuditRecord(
                at: wallMilliseconds(), context: CallContext(context).bytes, outcome: "refused", reason: error.reason,
                count: 1)
            for row in core.noteRefusal(record, actor: actor(exchange), route: entry.key) { audit(row) }
        }
        answer(exchange, error)
    }

    /// Has a read audited that its route says must be.
    func auditRead(_ exchange: Exchange, _ entry: RouteEntry) {
        guard entry.route.audit == "read", let audit = core.services.audit, let context = exchange.context else {
            return
        }
        let read = AuditedRead(
            tenant: exchange.caller?.principal.tenant ?? exchange.stranger.tenant,
            principal: exchange.caller?.principal.id ?? "", route: entry.key, project: exchange.project,
            decision: exchange.decision, network: network(exchange))
        audit(
            AuditRecord(
                at: wallMilliseconds(), context: context.bytes, outcome: "read", reason: "", count: 1, read: read))
    }
}
