// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import NIOHTTP1
import SeededRandom
import Testing

@testable import Gateway

@Suite struct PlainHeadTests {
    private static func read(_ text: [UInt8]) -> Result<PlainHead, PlainHead.Stop> {
        text.withUnsafeBytes { bytes in
            do throws(PlainHead.Stop) { return .success(try PlainHead(bytes)) } catch { return .failure(error) }
        }
    }

    private static let good =
        "POST /a/b?c=%20 HTTP/1.1\r\nHost: x\r\nAUTHORIZATION:\t Bearer a b \r\nAccept:\r\nContent-Length: 12\r\n"
        + "Connection: Keep-Alive\r\nX-Request-Id: r-1\r\n\r\n"

    @Test func plainHeadIsRead() throws {
        let head = try Self.read(Array((Self.good + "{\"a\":1}").utf8)).get()
        #expect(head.method == .POST && head.uri == "/a/b?c=%20" && head.isKeepAlive)
        #expect(head.headers.authorization == "Bearer a b")
        #expect(head.headers.contentLength == 12)
        #expect(head.headers.requestID == "r-1")
        #expect(head.headers.count == 6)
        #expect(head.length == Self.good.utf8.count)
    }

    @Test func everyStartOfAPlainHeadIsIncomplete() {
        let bytes = Array(Self.good.utf8)
        for count in 0..<bytes.count {
            guard case .failure(.incomplete) = Self.read(Array(bytes[..<count])) else {
                Issue.record("the first \(count) bytes are taken for something else")
                return
            }
        }
    }

    @Test(arguments: [
        "get / HTTP/1.1\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n", "GET /a b HTTP/1.1\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
        "GET * HTTP/1.1\r\n\r\n", "GET http://a/ HTTP/1.1\r\n\r\n", "GET /#a HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\n\n", "GET / HTTP/1.1\r\na: b\n\r\n", "GET / HTTP/1.1\r\n a: b\r\n\r\n",
        "GET / HTTP/1.1\r\na : b\r\n\r\n", "GET / HTTP/1.1\r\n: b\r\n\r\n", "GET / HTTP/1.1\r\na: b\r\n c\r\n\r\n",
        "GET / HTTP/1.1\r\na: b\u{0}\r\n\r\n", "GET / HTTP/1.1\r\na: \u{e9}\r\n\r\n",
        "GET / HTTP/1.1\r\na: b\t\r\n\r\n",
        "GET / HTTP/1.1\r\na: b\rc\r\n\r\n",
        "GET /\u{e9} HTTP/1.1\r\n\r\n", "\r\nGET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n", "GET / HTTP/1.1\r\ncontent-length:\r\n\r\n",
        "GET / HTTP/1.1\r\ncontent-length: +1\r\n\r\n", "GET / HTTP/1.1\r\ncontent-length: 1234567890123456\r\n\r\n",
        "GET / HTTP/1.1\r\nupgrade: h2c\r\n\r\n", "GET / HTTP/1.1\r\nexpect: 100-continue\r\n\r\n",
        "GET / HTTP/1.1\r\nconnection: close, te\r\n\r\n",
        "GET / HTTP/1.1\r\nconnection: close\r\nconnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nauthorization: a\r\nauthorization: b\r\n\r\n",
        "GET / HTTP/1.1\r\nidempotency-key: a\r\nidempotency-key: b\r\n\r\n",
    ])
    func whatIsNotPlainIsLeftToTheDecoder(text: String) {
        guard case .failure(.other) = Self.read(Array(text.utf8)) else {
            Issue.record("it was taken: \(Self.read(Array(text.utf8)))")
            return
        }
    }

    /// What the decoder makes of the bytes: one request, or nil.
    private static func decode(_ bytes: [UInt8]) throws -> (head: HTTPRequestHead, rest: Int)? {
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
        // Bytes after a request are an error of their own where they are no request.
        do { try channel.writeInbound(ByteBuffer(bytes: bytes)) } catch {}
        guard case .head(let head)? = try channel.readInbound(as: HTTPServerRequestPart.self) else { return nil }
        var body = 0
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            guard case .body(let part) = part else { break }
            body += part.readableBytes
        }
        return (head, body)
    }

    /// Whatever is taken here the decoder takes too, and reads alike: else a request could be smuggled past one of them.
    @Test(arguments: FuzzPlan.current.seeds(200)) func whatIsReadIsReadAsTheDecoderReadsIt(seed: UInt64) throws {
        var random = IdentitySource(seed: seed)
        let words = [
            "Content-Length: 3", "Connection: close", "connection: keep-alive", "A!#$%&'*+-.^_`|~z: ~", "B:", "C:\tx\t",
            "Content-Length: 0003", "Cookie: a=\"b\"; c={}", "Keep-Alive: 5", "Trailer: X", "TE: trailers",
            "Accept-Language: de",
        ]
        let noise = Array("\r\n\t :,;=?#/%\u{7f}\u{0}GETaZ019\"<>[]{}\\^`|~@".utf8)
        var lines = ["\(["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"][Int(random.next() % 6)]) /a?b"]
        lines[0] += " HTTP/1.1"
        for _ in 0..<random.next() % 6 { lines.append(words[Int(random.next() % UInt64(words.count))]) }
        var bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\nabc").utf8)
        for _ in 0..<random.next() % 3 {
            let at = Int(random.next() % UInt64(bytes.count))
            bytes[at] = noise[Int(random.next() % UInt64(noise.count))]
        }
        guard case .success(let head) = Self.read(bytes) else { return }
        let text = String(decoding: bytes, as: UTF8.self)
        let (expected, rest) = try #require(try Self.decode(bytes), "the decoder refuses \(text)")
        #expect(head.method == expected.method && head.uri == expected.uri, "\(text)")
        #expect(head.isKeepAlive == expected.isKeepAlive && expected.version == .http1_1, "\(text)")
        #expect(min(head.headers.contentLength ?? 0, bytes.count - head.length) == rest, "\(text)")
        var fields: [String] = []
        bytes.withUnsafeBytes { all in
            PlainHead.forEachField(UnsafeRawBufferPointer(rebasing: all[head.lines])) {
                fields.append(String(decoding: $0, as: UTF8.self) + "=" + String(decoding: $1, as: UTF8.self))
            }
        }
        #expect(fields == expected.headers.map { "\($0.name)=\($0.value)" }, "\(text)")
        #expect(head.headers.count == fields.count)
        #expect(head.headers.bytes == expected.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count })
    }
}
