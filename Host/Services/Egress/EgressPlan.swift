// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Runtime
internal import TheatreContracts

/// A request that was checked and may be sent.
struct EgressPlan: Sendable {
    /// Ready to execute; holds secrets, must not be printed.
    var request: HTTPClient.Request
    /// True where any address may be connected to.
    var allowsPrivate: Bool
    /// For messages: host and port as the plugin wrote them.
    var place: String
    /// Of the answer's body.
    var maximumBytes: Int

    /// Bound where the request names none.
    static let standardMaximumBytes = 1 << 20
    /// Largest bound.
    static let largestMaximumBytes = 16 << 20

    /// Checks everything that can be checked before a connection is made.
    init(
        _ message: HostFetchRequest, grants: ResolvedGrants, policy: EgressPolicy, secrets: any SecretSource,
        ownURL: () -> String?, traceparent: String
    ) throws(CallError) {
        let url = try EgressURL(parsing: message.url)
        let passage = try policy.passage(to: url, grants.egress)
        let placeholders = SecretPlaceholders(grants: grants.secrets, source: secrets)
        let path = try placeholders.path(url.path, host: url.host)
        let query = try placeholders.query(url.query, host: url.host)
        guard !path.contains(where: { "{}".contains($0) }), !query.contains(where: { "{}".contains($0) }) else {
            throw CallError(
                .invalidArgument, "egress.bad_url", "The URL holds a brace that must be percent-encoded.",
                detail: "/url")
        }
        let headers = try Self.headers(message, host: url.host, placeholders, traceparent)
        var target = url.text(path: path, query: query)
        if passage == .own {
            guard let base = ownURL() else {
                throw CallError(
                    .unavailable, "egress.self_not_ready", "This deployment's listener is not open yet.", retry: .safe)
            }
            target = base + path + query
        }
        request = try Self.request(target, message, headers)
        allowsPrivate = passage != .public
        place = url.place
        maximumBytes =
            message.maxResponseBytes == 0
            ? Self.standardMaximumBytes : min(Int(message.maxResponseBytes), Self.largestMaximumBytes)
    }

    private static func request(
        _ target: String, _ message: HostFetchRequest, _ headers: HTTPHeaders
    ) throws(CallError) -> HTTPClient.Request {
        let isToken = message.method.utf8.allSatisfy { (0x41...0x5a).contains($0) || $0 == 0x2d }
        guard isToken, !message.method.isEmpty, !["CONNECT", "TRACE"].contains(message.method) else {
            throw CallError(
                .invalidArgument, "egress.bad_method", "The method must be upper-case, and not CONNECT or TRACE.",
                detail: "/method")
        }
        let body: HTTPClient.Body? = message.body.isEmpty ? nil : .byteBuffer(ByteBuffer(bytes: message.body))
        do {
            return try HTTPClient.Request(
                url: target, method: HTTPMethod(rawValue: message.method), headers: headers, body: body)
        } catch {
            // The library's error may repeat the URL, which may hold a secret.
            throw CallError(.invalidArgument, "egress.bad_url", "The URL cannot be read.", detail: "/url")
        }
    }

    private static func headers(
        _ message: HostFetchRequest, host: String, _ placeholders: SecretPlaceholders, _ traceparent: String
    ) throws(CallError) -> HTTPHeaders {
        var headers = HTTPHeaders()
        for (index, header) in message.headers.enumerated() {
            let name = header.name.lowercased()
            guard !name.isEmpty, name.utf8.allSatisfy(isTokenByte) else {
                throw CallError(
                    .invalidArgument, "egress.bad_header", "A header's name is not a token.",
                    detail: "/headers/\(index)/name")
            }
            guard !reserved.contains(name) else {
                throw CallError(
                    .invalidArgument, "egress.reserved_header", "Header \(name) is set by the host; leave it out.",
                    detail: "/headers/\(index)/name")
            }
            guard header.value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 }) else {
                throw CallError(
                    .invalidArgument, "egress.bad_header", "The value of header \(name) holds a control character.",
                    detail: "/headers/\(index)/value")
            }
            headers.add(name: name, value: try placeholders.header(name, header.value, host: host))
        }
        if !traceparent.isEmpty, !headers.contains(name: "traceparent") {
            headers.add(name: "traceparent", value: traceparent)
        }
        return headers
    }

    /// RFC 9110 7.6.1 and what frames a message.
    private static let reserved: Set<String> = [
        "connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
