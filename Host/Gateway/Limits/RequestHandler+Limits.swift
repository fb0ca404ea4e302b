// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1
internal import Synchronization
internal import TheatreManifest

/// What one caller may take from the others, and what is turned away when it is too much for the host.
extension RequestHandler {
    /// Where the request came from: the peer, or whom our proxies say it had it from.
    func client(_ exchange: Exchange) -> NetworkAddress? {
        guard let peer, exchange.headers.forwardedFor != nil else { return peer }
        return core.proxies.client(of: peer, forwardedFor: exchange.headers.forwardedFor)
    }

    /// Who is held to account for it: a principal, or an address.
    func actor(_ exchange: Exchange) -> String {
        exchange.caller?.principal.id ?? client(exchange)?.description ?? "unknown"
    }

    /// Too much is going on; strangers are turned away first.
    func crowded(_ exchange: Exchange) -> ErrorResponse? {
        let most = core.configuration.limits.requests
        let bound = exchange.caller == nil ? most - most / 4 : most
        guard core.inFlight.load(ordering: .relaxed) > bound else { return nil }
        return .overloaded
    }

    /// Holds the caller to the limits of a rate class.
    func limited(_ exchange: Exchange, _ rateClass: String) -> ErrorResponse? {
        drawn(exchange, rateClass) ?? placed(exchange, rateClass)
    }

    /// Takes a place among the requests of a class. Only when the body is there: whoever sends it slowly holds none.
    func placed(_ exchange: Exchange, _ rateClass: String) -> ErrorResponse? {
        switch core.places.take(rateClass) {
        case .unlimited: return nil
        case .place(let place):
            exchange.place = place
            return nil
        case .full: return .overloaded
        }
    }

    /// Draws on the caller's budget for requests of a class.
    func drawn(_ exchange: Exchange, _ rateClass: String) -> ErrorResponse? {
        guard core.rates.isLimited(rateClass) else { return nil }
        let principal = exchange.caller?.principal
        let verdict = core.rates.take(
            rateClass,
            RateLimiter.Asker(principal: principal?.id, tenant: principal?.tenant ?? "", address: client(exchange)),
            at: state.loop.now.uptimeNanoseconds)
        guard let verdict else { return nil }
        exchange.extraHeaders.append(("ratelimit-policy", core.rates.policy(rateClass)))
        switch verdict.decision {
        case .allowed(let remaining, let reset):
            exchange.extraHeaders.append(("ratelimit", "\"\(verdict.name)\";r=\(remaining);t=\(reset)"))
            return nil
        case .refused(let seconds):
            exchange.extraHeaders.append(("ratelimit", "\"\(verdict.name)\";r=0;t=\(seconds)"))
            var error = ErrorResponse(.tooManyRequests, "request.rate", "Too many requests; wait \(seconds) s.")
            error.isRetryable = true
            error.retryAfter = seconds
            return error
        }
    }
}

extension ErrorResponse {
    /// The host has as much to do as it can.
    static var overloaded: ErrorResponse {
        var error = ErrorResponse(
            .serviceUnavailable, "request.overloaded", "The server has too much to do; try again shortly.")
        error.isRetryable = true
        error.retryAfter = 1
        return error
    }
}
