// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1
internal import Runtime
internal import TheatreManifest

/// GET /api/v1/authz/explain: may I, or somebody in a project I look after, make a request, and why.
extension RequestHandler {
    func explainAccess(_ exchange: Exchange) {
        authenticate(exchange) { handler, exchange, verdict in
            switch verdict {
            case .refused(let error): handler.refuse(exchange, error)
            case .caller(nil): handler.refuse(exchange, .tokenMissing)
            case .caller(let caller?):
                exchange.caller = caller
                if handler.isShutOut(exchange) { return handler.refuse(exchange, .tenantClosed) }
                guard caller.principal.permits("access", "explain") else {
                    return handler.refuse(exchange, .scope("access", "explain"))
                }
                if let error = handler.limited(exchange, "default") { return handler.refuse(exchange, error) }
                exchange.isAuthorised = true
                exchange.opensStream = { handler in handler.explain(exchange, caller.principal) }
                if exchange.isComplete { handler.proceed(exchange) }
            }
        }
    }

    private func explain(_ exchange: Exchange, _ asker: Principal) {
        guard let query = PercentDecoding.query(exchange.query),
            let path = query.first(where: { $0.name == "path" })?.value, path.hasPrefix("/")
        else {
            return answer(
                exchange,
                ErrorResponse(
                    .badRequest, "access.explain",
                    "Say what is asked in ?method= and ?path=, such as method=GET&path=/api/v1/runs/run_1."))
        }
        let method = query.first { $0.name == "method" }?.value.uppercased() ?? "GET"
        let target = path.prefix { $0 != "?" }
        var bytes = Array(target.utf8)
        let match = bytes.withUnsafeMutableBufferPointer { core.table.match(method: method, path: .init($0)) }
        guard case .found(let entry, let captures) = match else {
            return answer(
                exchange, ErrorResponse(.notFound, "request.no_route", "Nothing is served by \(method) \(target)."))
        }
        var principal = asker
        if let name = query.first(where: { $0.name == "principal" })?.value, name != asker.id {
            principal = Principal(
                id: name, kind: name.hasPrefix("svc:") ? .service : .user, tenant: asker.tenant, expiresAt: .max)
        }
        guard let rule = entry.rule else {
            guard principal.id == asker.id else { return answer(exchange, Self.notYours) }
            return answer(exchange, explanation(entry, principal))
        }
        let values = zip(entry.parameterNames, captures).compactMap { name, range in
            name == rule.parameter ? PercentDecoding.decode(Substring(decoding: bytes[range], as: UTF8.self).utf8) : nil
        }
        judge(entry.instance, rule, values.first ?? "", principal, from: client(exchange)) { handler, result in
            guard exchange === handler.exchange else { return }
            switch result {
            case .success(let judgement): handler.tell(exchange, asker, entry, rule, principal, judgement)
            case .failure(let error): handler.answer(exchange, ErrorResponse(error, module: entry.instance))
            }
        }
    }

    /// Of others hears only who looks after the project.
    private func tell(
        _ exchange: Exchange, _ asker: Principal, _ entry: RouteEntry, _ rule: AccessRule, _ principal: Principal,
        _ judgement: Judgement
    ) {
        let answered = explanation(entry, principal, rule, judgement)
        guard principal.id != asker.id else { return answer(exchange, answered) }
        guard !judgement.project.isEmpty else { return answer(exchange, Self.notYours) }
        let care = AccessRule(parameter: rule.parameter, role: .admin)
        judge(entry.instance, care, judgement.project, asker, from: client(exchange)) { handler, result in
            guard exchange === handler.exchange else { return }
            switch result {
            case .success(let own) where own.decision.refusal == nil: handler.answer(exchange, answered)
            case .success: handler.answer(exchange, Self.notYours)
            case .failure(let error): handler.answer(exchange, ErrorResponse(error, module: entry.instance))
            }
        }
    }

    private static var notYours: ErrorResponse {
        ErrorResponse(
            .forbidden, "access.denied", "What others may is told to admins of the project; ask about yourself.")
    }

    private func explanation(
        _ entry: RouteEntry, _ principal: Principal, _ rule: AccessRule? = nil, _ judgement: Judgement? = nil
    ) -> Exchange.Answer {
        let mayCall = principal.mayCall(entry.access)
        let refusal = judgement?.decision.refusal
        let mayUse = principal.permits(entry.route.resource, entry.route.action)
        let reason = !mayCall ? "auth.access" : mayUse ? refusal?.reason : "auth.scope"
        let path =
            mayCall ? judgement?.decision.path ?? "access \(entry.access.rawValue)" : "not \(entry.access.rawValue)"
        var body = ByteBuffer()
        body.writeString("{\"allowed\":\(reason == nil),\"principal\":")
        body.writeJSON(principal.id)
        body.writeStaticString(",\"route\":")
        body.writeJSON(entry.key)
        body.writeStaticString(",\"resource\":")
        body.writeJSON(entry.route.resource)
        body.writeStaticString(",\"action\":")
        body.writeJSON(entry.route.action)
        body.writeStaticString(",\"access\":")
        body.writeJSON(entry.access.rawValue)
        body.writeStaticString(",\"project\":")
        body.writeJSONOrNull(judgement?.project)
        body.writeStaticString(",\"needed\":")
        body.writeJSONOrNull(rule?.role.name)
        body.writeStaticString(",\"path\":")
        body.writeJSON(path)
        body.writeStaticString(",\"reason\":")
        body.writeJSONOrNull(reason)
        body.writeStaticString(",\"grant\":")
        if mayCall, refusal?.reason == "access.denied", let rule, let project = judgement?.project, !project.isEmpty {
            // The least that would let him in.
            body.writeStaticString("{\"project\":")
            body.writeJSON(project)
            body.writeStaticString(",\"user_id\":")
            body.writeJSON(principal.id)
            body.writeStaticString(",\"role\":")
            body.writeJSON(rule.role.name.uppercased())
            body.writeStaticString("}}")
        } else {
            body.writeStaticString("null}")
        }
        return Exchange.Answer(status: .ok, contentType: "application/json", body: body)
    }
}

extension ByteBuffer {
    /// Appends a JSON string literal, or null for nothing and for an empty text.
    fileprivate mutating func writeJSONOrNull(_ text: String?) {
        if let text, !text.isEmpty { writeJSON(text) } else { writeStaticString("null") }
    }
}
