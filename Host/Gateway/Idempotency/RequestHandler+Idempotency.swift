// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import NIOCore
internal import NIOHTTP1
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest

extension RequestHandler {
    /// Whether the key is 1 to 200 printable characters.
    static func isIdempotencyKey(_ key: String) -> Bool {
        (1...200).contains(key.utf8.count) && key.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    /// Calls the plugin, or answers with what it answered before.
    func callOnce(_ exchange: Exchange, _ entry: RouteEntry) {
        guard entry.isMutating, let key = exchange.headers.idempotencyKey else { return call(exchange, entry) }
        guard Self.isIdempotencyKey(key) else {
            return answer(
                exchange,
                ErrorResponse(
                    .badRequest, "request.idempotency_key",
                    "Idempotency-Key must be 1 to 200 printable characters."))
        }
        guard !entry.route.idempotent, core.services.answers != nil else { return call(exchange, entry) }
        guard let claim = core.claims.claim(answerKey(exchange, entry, key)) else {
            var error = ErrorResponse(
                .conflict, "request.in_flight", "A request with this key is being served.")
            error.isRetryable = true
            error.retryAfter = 1
            return answer(exchange, error)
        }
        exchange.claim = claim
        findAnswer(exchange, claim.key) { handler, result in
            switch result {
            case .failure(let error): handler.answer(exchange, ErrorResponse(error, module: "storage"))
            case .success(nil): handler.call(exchange, entry)
            case .success(let stored?): handler.replay(exchange, entry, stored)
            }
        }
    }

    private func answerKey(_ exchange: Exchange, _ entry: RouteEntry, _ key: String) -> AnswerKey {
        let context = exchange.context?.message
        return AnswerKey(
            tenant: context?.tenant ?? "default", principal: context?.principal ?? "", route: entry.key, key: key)
    }

    private func findAnswer(
        _ exchange: Exchange, _ key: AnswerKey,
        then: @escaping (RequestHandler, Result<StoredAnswer?, CallError>) -> Void
    ) {
        let loop = state.loop
        let bound = NIOLoopBound((self, exchange, then), eventLoop: loop)
        core.services.answers?.find(key) { result in
            loop.execute {
                let (handler, exchange, then) = bound.value
                guard exchange === handler.exchange else { return }
                then(handler, result)
            }
        }
    }

    /// Answers with the stored bytes, if they answered this very request.
    private func replay(_ exchange: Exchange, _ entry: RouteEntry, _ stored: StoredAnswer) {
        guard exchange.context.map({ Array($0.message.requestDigest) }) == stored.digest else {
            return answer(
                exchange,
                ErrorResponse(
                    .conflict, "request.key_reused",
                    "This key was used for another request; take a new one."))
        }
        do {
            var made = try stored.payload.withUnsafeBytes { try Exchange.answer($0, of: entry) }
            if stored.status != 0 { made.status = HTTPResponseStatus(statusCode: stored.status) }
            made.headers.append(("idempotency-replayed", "true"))
            answer(exchange, made)
        } catch {
            failed(
                exchange, entry,
                CallError(.internal, "gateway.response", "the stored answer cannot be written: \(error)"))
        }
    }

    /// Another host has answered first: its answer counts.
    func replayAfterConflict(_ exchange: Exchange, _ entry: RouteEntry, _ error: CallError) {
        guard let key = exchange.headers.idempotencyKey, core.services.answers != nil else {
            return answer(exchange, ErrorResponse(error, module: entry.instance))
        }
        findAnswer(exchange, answerKey(exchange, entry, key)) { handler, result in
            if case .success(let stored?) = result {
                handler.replay(exchange, entry, stored)
            } else {
                handler.answer(exchange, ErrorResponse(error, module: entry.instance))
            }
        }
    }

    /// Fails a change whose handler committed no answer.
    func verifyAnswer(_ exchange: Exchange, _ entry: RouteEntry, _ made: Exchange.Answer) {
        let key = answerKey(exchange, entry, exchange.headers.idempotencyKey ?? exchange.requestID)
        findAnswer(exchange, key) { handler, result in
            if case .success(_?) = result { return handler.answer(exchange, made) }
            handler.answer(
                exchange,
                ErrorResponse(
                    .internalServerError, "gateway.answer_missing",
                    "The handler of \(entry.key) changed something and committed no answer."))
        }
    }
}
