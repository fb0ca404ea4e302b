// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1
internal import Runtime
internal import SwiftProtobuf
internal import TheatreContracts
internal import TheatreManifest

extension RequestHandler {
    enum Verdict {
        case caller(Caller?)
        case refused(ErrorResponse)
    }

    /// Finds out who asks; at once where there is no token or it is known.
    func authenticate(_ exchange: Exchange, then: @escaping (RequestHandler, Exchange, Verdict) -> Void) {
        guard let header = exchange.headers.authorization else { return authenticateByCookie(exchange, then: then) }
        let now = core.services.now()
        let epoch = core.revocations.epoch
        if let known = lastCaller?.find(header, at: now, epoch: epoch) {
            return then(self, exchange, .caller(known))
        }
        guard let token = Self.bearer(header) else {
            return then(self, exchange, .refused(.token("auth.scheme", "Authorization must be Bearer and a token.")))
        }
        verify(token, exchange) { handler, exchange, verdict in
            if case .caller(let known?) = verdict { handler.lastCaller = LastCaller(header, known, epoch: epoch) }
            then(handler, exchange, verdict)
        }
    }

    /// Finds out whose a token is.
    func verify(
        _ token: Substring, _ exchange: Exchange, then: @escaping (RequestHandler, Exchange, Verdict) -> Void
    ) {
        let key = TokenCache.Key(token: token.utf8)
        if let known = state.tokens.find(key, at: core.services.now(), revocations: core.revocations) {
            return then(self, exchange, .caller(known))
        }
        if token.hasPrefix(Self.keyPrefix) { return resolve(token, key, exchange, then: then) }
        guard let verifier = core.services.tokens else {
            return then(self, exchange, .refused(.token("auth.no_keys", "This host accepts no tokens.")))
        }
        let text = String(token)
        let bound = NIOLoopBound((self, exchange, then), eventLoop: state.loop)
        state.loop.makeFutureWithTask { try await verifier.verify(text) }.whenComplete { result in
            let (handler, exchange, then) = bound.value
            guard exchange === handler.exchange else { return }
            then(handler, exchange, handler.keep(result, key, exchange))
        }
    }

    private func keep(
        _ result: Result<Principal, any Error>, _ key: TokenCache.Key, _ exchange: Exchange
    ) -> Verdict {
        switch result {
        case .success(let principal):
            let caller = Caller(principal)
            guard !core.revocations.contains(principal.session) else {
                // The audit says whose it was.
                exchange.caller = caller
                return .refused(.token("auth.revoked", "The session has ended; log in again."))
            }
            // A token that is of no use any more need not be kept.
            if principal.expiresAt > core.services.now() { state.tokens.insert(caller, for: key) }
            return .caller(caller)
        case .failure(let error):
            let error = error as? TokenError ?? TokenError("auth.token_invalid", "The token is not valid.")
            return .refused(.token(error.reason, error.message))
        }
    }

    /// What every key of a program begins with.
    static let keyPrefix = "thk_"
    /// A key is asked for again after so long: what it may do, and whose it is, does not change by more than that unseen.
    static let keyMilliseconds: Int64 = 60_000

    /// Asks the instance that knows keys, whom one speaks for.
    private func resolve(
        _ token: Substring, _ key: TokenCache.Key, _ exchange: Exchange,
        then: @escaping (RequestHandler, Exchange, Verdict) -> Void
    ) {
        guard let keeper = core.table.keys else {
            return then(self, exchange, .refused(.token("auth.no_keys", "This host accepts no keys of programs.")))
        }
        let request = AccountsResolveKeyRequest.with { $0.key = String(token) }
        ask(keeper, "theatre.accounts.v1.Keys/ResolveKey", request, exchange.stranger.tenant) {
            (handler, result: Result<AccountsKeyHolder, CallError>) in
            guard exchange === handler.exchange else { return }
            switch result {
            case .success(let holder):
                let lapses = min(holder.expiresAt, handler.core.services.now() + Self.keyMilliseconds)
                let principal = Principal(
                    id: holder.principal, kind: .user, session: holder.keyID, roles: holder.roles,
                    tenant: holder.tenant, expiresAt: lapses, scopes: holder.scopes)
                then(handler, exchange, handler.keep(.success(principal), key, exchange))
            case .failure(let error) where error.code == .unauthenticated:
                then(handler, exchange, .refused(.token("auth.key_refused", "The key does not count; make another.")))
            case .failure(let error): then(handler, exchange, .refused(ErrorResponse(error, module: keeper)))
            }
        }
    }

    /// Nobody of a tenant that the operator has closed is let in, whatever he brings.
    func isShutOut(_ exchange: Exchange) -> Bool {
        core.tenants.isClosed(exchange.caller?.principal.tenant ?? exchange.stranger.tenant)
    }

    static func bearer(_ header: String) -> Substring? {
        let bytes = header.utf8
        guard bytes.count > 7, bytes.count <= 8199, String(header.prefix(7)).isField("bearer ") else { return nil }
        let token = header.dropFirst(7)
        let hasSpace =
            token.utf8.withContiguousStorageIfAvailable { $0.contains(UInt8(ascii: " ")) }
            ?? token.utf8.contains(UInt8(ascii: " "))
        return hasSpace ? nil : token
    }
}

extension ErrorResponse {
    /// No token where one is needed.
    static var tokenMissing: ErrorResponse {
        var error = ErrorResponse(.unauthorized, "auth.token_missing", "Send a bearer token.")
        error.headers = [("www-authenticate", "Bearer")]
        return error
    }

    /// A token of a program that is not for this, RFC 6750 section 3.1.
    static func scope(_ resource: String, _ action: String) -> ErrorResponse {
        var error = ErrorResponse(
            .forbidden, "auth.scope", "This needs the scope \(resource):\(action); come with a credential that has it.")
        error.headers = [("www-authenticate", "Bearer error=\"insufficient_scope\", scope=\"\(resource):\(action)\"")]
        return error
    }

    /// A token that does not do.
    static func token(_ reason: String, _ message: String) -> ErrorResponse {
        var error = ErrorResponse(.unauthorized, reason, message)
        error.headers = [("www-authenticate", "Bearer error=\"invalid_token\"")]
        return error
    }
}
