// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1
internal import TheatreManifest

/// Sessions of pages: the token in a cookie, put there and taken away at `/api/v1/auth/cookie`.
extension RequestHandler {
    /// Finds out who asks by the cookie alone.
    ///
    /// A browser sends it whoever made it ask: what changes something counts only where the browser says that the page
    /// is ours. A cookie that does not do, such as one whose time is over, is no obstacle to what anyone may call.
    func authenticateByCookie(_ exchange: Exchange, then: @escaping (RequestHandler, Exchange, Verdict) -> Void) {
        guard let cookie = core.cookie, let field = exchange.headers.cookie, let token = cookie.token(in: field),
            token.utf8.count <= 8192
        else { return then(self, exchange, .caller(nil)) }
        let isOpen = exchange.entry?.access == .anyone
        if exchange.head.method != .GET, exchange.head.method != .HEAD, !isFromOwnPage(exchange) {
            return then(self, exchange, isOpen ? .caller(nil) : .refused(.otherSite))
        }
        verify(token, exchange) { handler, exchange, verdict in
            if case .refused = verdict, isOpen { return then(handler, exchange, .caller(nil)) }
            then(handler, exchange, verdict)
        }
    }

    private func isFromOwnPage(_ exchange: Exchange) -> Bool {
        var host: String?
        exchange.head.forEachField { name, value in
            if name.isField("host") { host = String(decoding: value, as: UTF8.self) }
        }
        return core.crossOrigin.isOwn(exchange.headers, host: host, isTLS: core.configuration.isTLS)
    }

    /// Serves POST, which keeps the bearer's token in a cookie, and DELETE, which takes it away.
    ///
    /// - Returns: false where it is not served.
    func serveCookie(_ exchange: Exchange) -> Bool {
        guard let cookie = core.cookie, exchange.path.elementsEqual("/api/v1/auth/cookie".utf8) else { return false }
        guard exchange.head.method == .POST || exchange.head.method == .DELETE else { return false }
        guard isFromOwnPage(exchange) else {
            answer(exchange, .otherSite)
            return true
        }
        guard exchange.head.method == .POST else {
            answer(exchange, Self.setting(cookie.field("", seconds: 0)))
            return true
        }
        guard let header = exchange.headers.authorization, let token = Self.bearer(header) else {
            answer(exchange, .tokenMissing)
            return true
        }
        verify(token, exchange) { handler, exchange, verdict in
            switch verdict {
            case .refused(let error): handler.answer(exchange, error)
            case .caller(nil): handler.answer(exchange, .tokenMissing)
            case .caller(let caller?):
                let seconds = (caller.principal.expiresAt - handler.core.services.now()) / 1000
                handler.answer(exchange, Self.setting(cookie.field(token, seconds: seconds)))
            }
        }
        return true
    }

    private static func setting(_ field: String) -> Exchange.Answer {
        Exchange.Answer(
            status: .noContent, contentType: "", body: ByteBuffer(), headers: [("set-cookie", field)])
    }
}

extension ErrorResponse {
    /// A change that a page of another site asked for.
    static var otherSite: ErrorResponse {
        ErrorResponse(
            .forbidden, "auth.other_site",
            "A change by a cookie must come from a page of this site; send a bearer token instead.")
    }
}
