// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1
internal import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts
internal import TheatreManifest

/// Whether the caller may do this to this project. At once where the standing is known; otherwise it is asked for.
extension RequestHandler {
    /// A decision, and the project it is about; empty for a row that the tenant does not have.
    typealias Judgement = (decision: AccessDecision, project: String)

    /// Decides a request to a project, and goes on with it or refuses it.
    func decide(_ exchange: Exchange, _ entry: RouteEntry, _ rule: AccessRule) {
        guard let caller = exchange.caller else { return refuse(exchange, .tokenMissing) }
        let value: String
        do throws(CallError) {
            value = try parameters(exchange, entry).first { $0.name == rule.parameter }?.value ?? ""
        } catch {
            return answer(exchange, ErrorResponse(error, module: entry.instance))
        }
        judge(entry.instance, rule, value, caller.principal, from: client(exchange)) { handler, result in
            guard exchange === handler.exchange else { return }
            switch result {
            case .success(let judgement):
                exchange.project = judgement.project
                handler.apply(judgement.decision, to: exchange, entry)
            case .failure(let error): handler.refuse(exchange, ErrorResponse(error, module: entry.instance))
            }
        }
    }

    /// What `principal` may do by `rule` to what the path's parameter names, whatever request asks.
    ///
    /// - Parameters:
    ///   - instance: serves the route, and knows of which projects its rows are.
    ///   - address: where the request comes from.
    func judge(
        _ instance: String, _ rule: AccessRule, _ value: String, _ principal: Principal, from address: NetworkAddress?,
        then: @escaping (RequestHandler, Result<Judgement, CallError>) -> Void
    ) {
        guard rule.isRow else { return judge(rule, principal, project: value, from: address, then: then) }
        let key = AccessCache.RowKey(tenant: principal.tenant, instance: instance, parameter: rule.parameter, id: value)
        if let project = state.access.project(key) {
            return judge(rule, principal, project: project, from: address, then: then)
        }
        let request = AccessResolveProjectRequest.with {
            $0.parameter = rule.parameter
            $0.id = value
        }
        ask(instance, "theatre.access.v1.Scopes/ResolveProject", request, principal.tenant) {
            (handler, result: Result<AccessResolveProjectResponse, CallError>) in
            switch result {
            case .success(let response):
                handler.state.access.keep(response.project, key)
                handler.judge(rule, principal, project: response.project, from: address, then: then)
            case .failure(let error) where error.code == .notFound:
                // Told as every other row that is not his: nobody learns which rows there are.
                then(handler, .success((.unknownRow(rule), "")))
            case .failure(let error): then(handler, .failure(error))
            }
        }
    }

    private func judge(
        _ rule: AccessRule, _ principal: Principal, project: String, from address: NetworkAddress?,
        then: @escaping (RequestHandler, Result<Judgement, CallError>) -> Void
    ) {
        standing(of: principal, in: project) { handler, result in
            then(
                handler,
                result.map { standing in
                    let now = handler.core.services.now()
                    let decision = AccessDecision(
                        rule, standing, project: project, roles: principal.roles, from: address, at: now)
                    return (decision, project)
                })
        }
    }

    private func apply(_ decision: AccessDecision, to exchange: Exchange, _ entry: RouteEntry) {
        guard let refusal = decision.refusal else {
            exchange.decision = "allowed: \(decision.path)"
            exchange.needsApproval = decision.needsApproval
            return admitted(exchange, entry)
        }
        var error = ErrorResponse(.forbidden, refusal.reason, refusal.message)
        error.decision = state.identity.id(prefix: "dec_", at: wallMilliseconds())
        exchange.decision = "refused: \(refusal.reason); \(decision.path); \(error.decision)"
        refuse(exchange, error)
    }

    /// What `principal` is to `project`; at once, before this returns, where it is known.
    func standing(
        of principal: Principal, in project: String,
        then: @escaping (RequestHandler, Result<Standing, CallError>) -> Void
    ) {
        let key = AccessCache.StandingKey(tenant: principal.tenant, principal: principal.id, project: project)
        let epoch = core.accessEpoch.load(ordering: .acquiring)
        if let known = state.access.standing(key, at: core.services.now(), epoch: epoch) {
            return then(self, .success(known))
        }
        guard let policy = core.table.policy else {
            return then(
                self,
                .failure(
                    CallError(
                        .unavailable, "access.no_policy",
                        "This deployment has nothing that decides who may; enable an instance of Access.")))
        }
        let request = AccessGetStandingRequest.with {
            $0.principal = principal.id
            $0.project = project
        }
        ask(policy, "theatre.access.v1.Policy/GetStanding", request, principal.tenant) {
            (handler, result: Result<AccessStanding, CallError>) in
            let core = handler.core
            then(
                handler,
                result.map { message in
                    let standing = Standing(message)
                    handler.state.access.keep(
                        standing, key, at: core.services.now(), epoch: core.accessEpoch.load(ordering: .acquiring),
                        asked: epoch)
                    return standing
                })
        }
    }

    /// A call of the gateway's own, for a tenant. Its answer comes on the loop.
    func ask<Response: Message>(
        _ instance: String, _ operation: String, _ request: some Message, _ tenant: String,
        then: @escaping (RequestHandler, Result<Response, CallError>) -> Void
    ) {
        let context = CallContext(
            .with {
                $0.tenant = tenant
                $0.principalKind = .system
            })
        let loop = state.loop
        let bound = NIOLoopBound((self, then), eventLoop: loop)
        OneShotCall.start(core.calls, instance, operation, request, context: context) {
            (result: Result<Response, CallError>) in
            loop.execute {
                let (handler, then) = bound.value
                then(handler, result)
            }
        }
    }
}
