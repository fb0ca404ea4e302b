// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Bytes that two readers could take for different requests. Most hide a second request, for the route that nothing else
/// here asks for.
struct SmuggledRequest: CustomStringConvertible {
    let description: String
    let bytes: [UInt8]
    /// The statuses of all that is answered before the server closes.
    let answers: [Int]

    /// Asked for by hidden requests alone.
    static let hiddenRoute = "/api/v1/me/wallet"

    private static let hidden = "GET \(hiddenRoute) HTTP/1.1\r\nHost: t\r\n\r\n"
    private static let post = "POST /api/v1/auth/login HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
    private static let chunked = post + "Transfer-Encoding: chunked\r\n\r\n"
    private static let get = "GET /healthz HTTP/1.1\r\nHost: t\r\n"

    private init(_ description: String, _ text: String, _ answers: [Int] = [400]) {
        self.description = description
        bytes = Array(text.utf8)
        self.answers = answers
    }

    static let all: [SmuggledRequest] = lengths + encodings + chunks + heads + protocols

    /// A Content-Length that is read in two ways.
    private static let lengths = [
        SmuggledRequest(
            "a length and chunks", post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden),
        SmuggledRequest(
            "chunks and a length", post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n" + hidden),
        SmuggledRequest("two lengths", post + "Content-Length: 0\r\nContent-Length: 40\r\n\r\n" + hidden),
        SmuggledRequest("the same length twice", post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" + hidden),
        SmuggledRequest("a list of lengths", post + "Content-Length: 2, 2\r\n\r\n{}" + hidden),
        SmuggledRequest("a length with a sign", post + "Content-Length: +2\r\n\r\n{}" + hidden),
        SmuggledRequest("a length below nothing", post + "Content-Length: -2\r\n\r\n{}" + hidden),
        SmuggledRequest("a length in hexadecimal", post + "Content-Length: 0x2\r\n\r\n{}" + hidden),
        SmuggledRequest("a length that runs over", post + "Content-Length: 18446744073709551618\r\n\r\n{}" + hidden),
        SmuggledRequest("a length of two words", post + "Content-Length: 1 2\r\n\r\n{}" + hidden),
        SmuggledRequest("an empty length", post + "Content-Length:\r\n\r\n" + hidden),
        SmuggledRequest("a length with a NUL", post + "Content-Length: 2\u{0}\r\n\r\n{}" + hidden),
        SmuggledRequest("a length before a blank", post + "Content-Length : 2\r\n\r\n{}" + hidden),
        SmuggledRequest("more than the length says", post + "Content-Length: 1\r\n\r\n{}" + hidden, [400, 400]),
        SmuggledRequest("a body for a probe", get + "Content-Length: \(hidden.utf8.count)\r\n\r\n" + hidden, [200]),
    ]

    /// Transfer-Encoding that one reader sees and another does not.
    private static let encodings = [
        " Transfer-Encoding: chunked", "Transfer-Encoding : chunked", "Transfer-Encoding:\u{B}chunked",
        "Transfer-Encoding:\r\n chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding: identity",
        "Transfer-Encoding: identity, chunked", "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "X: y\nTransfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked\u{0}",
    ].map { SmuggledRequest($0.debugDescription, post + $0 + "\r\n\r\n0\r\n\r\n" + hidden) }

    /// Chunks that are not of the grammar.
    private static let chunks = [
        ("a size that runs over", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"), ("a size with 0x", "0x2\r\n{}\r\n0\r\n\r\n"),
        ("a size below nothing", "-2\r\n{}\r\n0\r\n\r\n"), ("a size before a bare LF", "2\n{}\n0\n\n"),
        ("an extension that ends in LF", "2;\n{}\r\n0\r\n\r\n"), ("no end of line behind the data", "2\r\n{}0\r\n\r\n"),
        ("no size", "\r\n{}\r\n0\r\n\r\n"), ("an extension without end", "2;" + String(repeating: "a", count: 300_000)),
    ].map { SmuggledRequest($0, chunked + $1 + hidden) }

    /// Heads that are not of the grammar.
    private static let heads = [
        SmuggledRequest("lines that end in LF", "GET /healthz HTTP/1.1\nHost: t\n\n" + hidden),
        SmuggledRequest("a bare CR in a value", get + "X: a\rb\r\n\r\n" + hidden),
        SmuggledRequest("a NUL in a value", get + "X: a\u{0}b\r\n\r\n" + hidden),
        SmuggledRequest("a NUL in a name", get + "X\u{0}: a\r\n\r\n" + hidden),
        SmuggledRequest("no colon", get + "X\r\n\r\n" + hidden),
        SmuggledRequest("no name", get + ": a\r\n\r\n" + hidden),
        SmuggledRequest("a folded line", get + "X: a\r\n b\r\n\r\n" + hidden),
        SmuggledRequest("a blank in the target", "GET /healthz /x HTTP/1.1\r\nHost: t\r\n\r\n" + hidden),
        SmuggledRequest("two hosts", get + "Host: u\r\n\r\n" + hidden),
        SmuggledRequest("no host", "GET /healthz HTTP/1.1\r\n\r\n" + hidden),
        SmuggledRequest("a host with a user", "GET /healthz HTTP/1.1\r\nHost: a@b\r\n\r\n" + hidden),
        SmuggledRequest(
            "two Authorizations", get + "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n" + hidden),
        SmuggledRequest(
            "a long field", get + "X: " + String(repeating: "a", count: 70_000) + "\r\n\r\n" + hidden, [431]),
        SmuggledRequest(
            "a trailer without end", chunked + "2\r\n{}\r\n0\r\nX: " + String(repeating: "a", count: 300_000), [431]),
        SmuggledRequest("many fields", get + String(repeating: "X: a\r\n", count: 400) + "\r\n" + hidden, [431]),
        SmuggledRequest(
            "a long target",
            "GET /" + String(repeating: "a", count: 9000) + " HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
            [414]),
    ]

    /// Other protocols, and what follows a last request.
    private static let protocols = [
        SmuggledRequest("a last request and one more", get + "Connection: close\r\n\r\n" + hidden, [200]),
        SmuggledRequest("noise behind a request", get + "\r\n\u{0}\u{1}noise\r\n\r\n" + hidden, [200, 400]),
        SmuggledRequest(
            "an upgrade and noise", get + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n\u{1}noise" + hidden, [200]),
        SmuggledRequest(
            "an upgrade to HTTP/2",
            get + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n" + hidden, [200]),
        SmuggledRequest("a tunnel", "CONNECT t:443 HTTP/1.1\r\nHost: t\r\n\r\n" + hidden, [404]),
        SmuggledRequest("HTTP/1.0", "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + hidden, [200]),
        SmuggledRequest(
            "HTTP/1.0 with chunks", "POST /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden),
        SmuggledRequest("HTTP/1.2", "GET /healthz HTTP/1.2\r\nHost: t\r\n\r\n" + hidden),
        SmuggledRequest("HTTP/2 without a word", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden),
        SmuggledRequest("a TLS hello", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n" + hidden),
    ]
}
