// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1
internal import Runtime
internal import Synchronization
internal import TheatreManifest

/// From the head of a request to the right to be served.
extension RequestHandler {
    func admit(_ exchange: Exchange) {
        exchange.extraHeaders += core.crossOrigin.fields(for: exchange.headers)
        if let error = check(exchange) { return answer(exchange, error) }
        if let fields = core.crossOrigin.preflight(exchange.head.method, exchange.headers) {
            return answer(
                exchange,
                Exchange.Answer(status: .noContent, contentType: "", body: ByteBuffer(), headers: fields))
        }
        if serveBuiltIn(exchange) { return }
        if let error = route(exchange) { return answer(exchange, error) }
        authorise(exchange)
    }

    /// Limits and well-formedness.
    private func check(_ exchange: Exchange) -> ErrorResponse? {
        let limits = core.configuration.limits
        let headers = exchange.headers
        if exchange.head.uri.utf8.count > limits.target {
            return ErrorResponse(.uriTooLong, "request.target_too_long", "The target is too long.")
        }
        if headers.bytes > limits.headers || headers.count > limits.headerCount {
            return ErrorResponse(
                .requestHeaderFieldsTooLarge, "request.headers_too_large",
                "The headers are too long; send less.")
        }
        if let fault = headers.fault(in: exchange.head.version) {
            return ErrorResponse(.badRequest, "request.malformed", fault)
        }
        let uri = exchange.head.uri.utf8
        let end = uri.firstIndex(of: UInt8(ascii: "?")) ?? uri.endIndex
        exchange.pathEnd = uri.distance(from: uri.startIndex, to: end)
        return nil
    }

    private func route(_ exchange: Exchange) -> ErrorResponse? {
        var uri = exchange.head.uri
        let table = core.table
        let method = exchange.head.method.rawValue
        let match = uri.withUTF8 { bytes in
            table.match(method: method, path: UnsafeBufferPointer(rebasing: bytes[..<exchange.pathEnd]))
        }
        switch match {
        case .found(let entry, let captures):
            exchange.entry = entry
            exchange.captures = captures
            if exchange.headers.isEncoded {
                return ErrorResponse(
                    .unsupportedMediaType, "request.encoding", "Bodies are taken as they are; send it uncompressed.")
            }
            let length = exchange.headers.contentLength ?? 0
            return length > entry.route.bodyLimit ? .tooLarge(entry.route.bodyLimit) : nil
        case .notFound:
            if table.entries.isEmpty, !core.services.isReady() { return .starting }
            return ErrorResponse(
                .notFound, "request.no_route", "Nothing is served at this path; see /openapi.json.")
        case .notAllowed(let allow):
            var error = ErrorResponse(
                .methodNotAllowed, "request.method", "The method is not served here; use \(allow).")
            error.headers = [("allow", allow)]
            return error
        case .malformed:
            return ErrorResponse(
                .badRequest, "request.path", "The path may not hold the segments . and .. .")
        }
    }

    private func authorise(_ exchange: Exchange) {
        // Another scheme than ours is the route's own matter, where it says so: OAuth's clients come with Basic.
        if exchange.entry?.takesAuthorization == true, let header = exchange.headers.authorization,
            !header.prefix(7).lowercased().hasPrefix("bearer")
        {
            return authorised(exchange)
        }
        authenticate(exchange) { handler, exchange, verdict in
            switch verdict {
            case .refused(let error): handler.refuse(exchange, error)
            case .caller(let caller):
                exchange.caller = caller
                if handler.isShutOut(exchange) { return handler.refuse(exchange, .tenantClosed) }
                handler.authorised(exchange)
            }
        }
    }

    private func authorised(_ exchange: Exchange) {
        guard let entry = exchange.entry else { return }
        if let error = denied(exchange, entry) ?? crowded(exchange) ?? drawn(exchange, entry.route.rate) {
            return refuse(exchange, error)
        }
        if let rule = entry.rule { return decide(exchange, entry, rule) }
        admitted(exchange, entry)
    }

    /// The caller may.
    func admitted(_ exchange: Exchange, _ entry: RouteEntry) {
        exchange.isAuthorised = true
        sendContinue(exchange)
        if case .rawStream = entry.body {
            if let error = placed(exchange, entry.route.rate) { return refuse(exchange, error) }
            return openRaw(exchange, entry)
        }
        if exchange.isComplete { proceed(exchange) }
    }

    private func denied(_ exchange: Exchange, _ entry: RouteEntry) -> ErrorResponse? {
        guard entry.access != .anyone else { return nil }
        guard let principal = exchange.caller?.principal else { return .tokenMissing }
        guard principal.mayCall(entry.access) else {
            return ErrorResponse(
                .forbidden, "auth.access", "This route is for access \(entry.access.rawValue).")
        }
        guard principal.permits(entry.route.resource, entry.route.action) else {
            return .scope(entry.route.resource, entry.route.action)
        }
        return nil
    }
}
