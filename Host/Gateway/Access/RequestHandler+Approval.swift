// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1
internal import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// Requests for what takes two: noted the first time, let through once somebody else has approved them.
extension RequestHandler {
    /// Goes on with a request that was approved, or has it wait for approval.
    func seekApproval(_ exchange: Exchange, _ entry: RouteEntry) {
        guard let caller = exchange.caller, let rule = entry.rule, let context = exchange.context,
            let policy = core.table.policy
        else { return refuse(exchange, .tokenMissing) }
        let principal = caller.principal
        let digest = context.message.requestDigest
        guard let approval = exchange.headers.approval else {
            let request = AccessRequestApprovalRequest.with {
                $0.principal = principal.id
                $0.project = exchange.project
                $0.action = rule.permission
                $0.role = AccessRole(rawValue: rule.role.rawValue) ?? .owner
                $0.request = "\(exchange.head.method.rawValue) \(String(Substring(exchange.path)).prefix(500))"
                $0.digest = digest
            }
            return ask(policy, "theatre.access.v1.Policy/RequestApproval", request, principal.tenant) {
                (handler, result: Result<AccessApproval, CallError>) in
                guard exchange === handler.exchange else { return }
                switch result {
                case .success(let approval): handler.await(approval, exchange)
                case .failure(let error): handler.refuse(exchange, ErrorResponse(error, module: policy))
                }
            }
        }
        let use = AccessUseApprovalRequest.with {
            $0.approval = approval
            $0.principal = principal.id
            $0.digest = digest
            $0.idempotencyKey = exchange.headers.idempotencyKey ?? ""
        }
        ask(policy, "theatre.access.v1.Policy/UseApproval", use, principal.tenant) {
            (handler, result: Result<AccessApproval, CallError>) in
            guard exchange === handler.exchange else { return }
            switch result {
            case .success(let approval):
                exchange.needsApproval = false
                exchange.decision += " \(approval.id) of \(approval.decidedBy)"
                // The audit says who approved.
                exchange.context = handler.makeContext(exchange, entry, digest: digest)
                handler.callOnce(exchange, entry)
            case .failure(let error): handler.refuse(exchange, ErrorResponse(error, module: policy))
            }
        }
    }

    /// Tells that it waits, and for what.
    private func await(_ approval: AccessApproval, _ exchange: Exchange) {
        var error = ErrorResponse(
            .forbidden, "access.approval_needed",
            "\(approval.action) takes two here: have \(approval.id) approved by somebody else, then send the same request "
                + "again with Theatre-Approval: \(approval.id).")
        error.decision = state.identity.id(prefix: "dec_", at: wallMilliseconds())
        error.headers = [("theatre-approval", approval.id)]
        exchange.decision = "refused: access.approval_needed; \(approval.id); \(error.decision)"
        refuse(exchange, error)
    }
}
