// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1

/// What pages of other origins may do (CORS), and that none acts with a visitor's cookie (CSRF).
struct CrossOrigin: Sendable {
    /// `https://console.example.org`, lower-case.
    let origins: Set<String>
    /// Pages of these origins may send the session's cookie.
    let allowsCredentials: Bool
    private let maxAge: String
    /// The server's own origin; nil where it is known only from Host.
    private let own: String?

    private static let methods = "GET, HEAD, POST, PUT, PATCH, DELETE"
    private static let requestFields =
        "authorization, content-type, idempotency-key, if-match, last-event-id, theatre-approval, traceparent, "
        + "x-request-id"
    private static let responseFields =
        "etag, location, ratelimit, ratelimit-policy, retry-after, theatre-approval, x-request-id"

    init(_ configuration: GatewayConfiguration.CrossOrigin, own: String?) {
        origins = Set(configuration.origins.map { $0.lowercased() })
        allowsCredentials = configuration.allowsCredentials
        maxAge = String(configuration.maxAgeSeconds)
        self.own = own?.lowercased()
    }

    /// Fields of an answer to a request that says which origin it comes from.
    func fields(for headers: RequestHeaders) -> [(String, String)] {
        guard !origins.isEmpty else { return [] }
        guard let origin = headers.origin, origins.contains(origin.lowercased()) else { return [("vary", "Origin")] }
        var fields = [
            ("vary", "Origin"), ("access-control-allow-origin", origin),
            ("access-control-expose-headers", Self.responseFields),
        ]
        if allowsCredentials { fields.append(("access-control-allow-credentials", "true")) }
        return fields
    }

    /// Fields of the answer to a browser that asks before it sends; nil for any other request, and for origins that are
    /// not allowed: those are answered like everything that is not served.
    ///
    /// It says only that pages of the origin may ask. Whether the caller may is decided when he does.
    func preflight(_ method: HTTPMethod, _ headers: RequestHeaders) -> [(String, String)]? {
        guard method == .OPTIONS, headers.requestedMethod != nil, let origin = headers.origin,
            origins.contains(origin.lowercased())
        else { return nil }
        return [
            ("access-control-allow-methods", Self.methods), ("access-control-allow-headers", Self.requestFields),
            ("access-control-max-age", maxAge),
        ]
    }

    /// Whether a request that acts by a cookie alone was sent by a page of ours.
    ///
    /// Browsers say so themselves: `Sec-Fetch-Site` cannot be written by a page, and neither can `Origin`. Where both are
    /// missing nothing is known, and the answer is no.
    func isOwn(_ headers: RequestHeaders, host: String?, isTLS: Bool) -> Bool {
        if let site = headers.fetchSite, site == "same-origin" { return true }
        guard let origin = headers.origin?.lowercased() else { return false }
        if allowsCredentials, origins.contains(origin) { return true }
        if let own { return origin == own }
        return host.map { origin == (isTLS ? "https://" : "http://") + $0.lowercased() } ?? false
    }
}
