// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A request on stream 1 that is none.
struct BadStream: Sendable {
    var name: String
    var bytes: [UInt8]
    /// The statuses that may answer it; `refused` where no answer comes.
    var expected: Set<String>

    static func fields(_ method: String, _ path: String) -> [(String, String)] {
        [(":method", method), (":scheme", "https"), (":path", path), (":authority", "127.0.0.1")]
    }

    static func all(token: String) -> [BadStream] {
        let me = fields("GET", "/api/v1/me") + [("authorization", "Bearer \(token)")]
        let login = fields("POST", "/api/v1/auth/login") + [("content-type", "application/json")]
        func asked(_ name: String, _ fields: [(String, String)], expected: Set<String> = ["refused", "400"])
            -> BadStream
        {
            let flags = RawFrame.wholeBlock | RawFrame.end
            return BadStream(
                name: name, bytes: RawFrame(.headers, flags, on: 1, RawFrame.block(fields)).bytes, expected: expected)
        }
        func said(_ name: String, _ fields: [(String, String)], _ body: [[UInt8]]) -> BadStream {
            var bytes = RawFrame(.headers, RawFrame.wholeBlock, on: 1, RawFrame.block(fields)).bytes
            for (index, part) in body.enumerated() {
                bytes += RawFrame(.data, index == body.count - 1 ? RawFrame.end : 0, on: 1, part).bytes
            }
            return BadStream(name: name, bytes: bytes, expected: ["refused", "400"])
        }
        func framed(_ name: String, _ frame: RawFrame) -> BadStream {
            BadStream(name: name, bytes: frame.bytes, expected: ["refused"])
        }
        let block = RawFrame.block(me), whole = RawFrame.wholeBlock | RawFrame.end
        return [
            // That an honest one is served shows that the others are refused for what they are.
            asked("a request", me, expected: ["200"]),
            asked("a stranger", fields("GET", "/api/v1/me"), expected: ["401"]),
            asked("an upper-case name", me + [("X-Upper", "a")]), asked("no method", Array(me.dropFirst())),
            asked("two paths", me + [(":path", "/healthz")]),
            asked("a pseudo-field at the end", me + [(":method", "GET")]),
            asked("one that is unknown", [(":protocol", "websocket")] + me),
            asked("an answer's", [(":status", "200")] + me),
            asked("no path", me.map { $0.0 == ":path" ? (":path", "") : $0 }),
            asked(
                "a path that is no path", me.map { $0.0 == ":path" ? (":path", "http://t/api/v1/me") : $0 },
                expected: ["refused", "400", "404"]),
            asked("transfer-encoding", me + [("transfer-encoding", "chunked")]),
            asked("connection", me + [("connection", "keep-alive, authorization")]),
            asked("upgrade", me + [("upgrade", "h2c")]), asked("te", me + [("te", "gzip")]),
            asked("a line in a value", me + [("x-a", "b\r\nx-c: d")]),
            asked("a line in a name", me + [("x-a\r\nb", "c")]),
            asked(
                "a line in the path", me.map { $0.0 == ":path" ? (":path", "/healthz HTTP/1.1\r\nx: y") : $0 },
                expected: ["refused", "400", "404"]),
            asked("a NUL in a value", me + [("x-a", "b\u{0}")]), asked("no name", me + [("", "a")]),
            BadStream(
                name: "more fields than there is room for",
                bytes: RawFrame(.headers, RawFrame.end, on: 1, block).bytes
                    + (1...4).flatMap {
                        RawFrame(
                            .continuation, $0 == 4 ? RawFrame.wholeBlock : 0, on: 1,
                            RawFrame.block([("x-\($0)", String(repeating: "a", count: 12_000))])
                        ).bytes
                    }, expected: ["refused", "431"]),
            said("less than was said", login + [("content-length", "50")], [Array("{}".utf8)]),
            said("more than was said", login + [("content-length", "1")], [Array("{}".utf8)]),
            said(
                "lengths that differ", login + [("content-length", "2"), ("content-length", "3")], [Array("{}".utf8)]),
            said("a length that is none", login + [("content-length", "+2")], [Array("{}".utf8)]),
            framed("an even stream", RawFrame(.headers, whole, on: 2, block)),
            framed("stream 0", RawFrame(.headers, whole, on: 0, block)),
            framed("data before a request", RawFrame(.data, on: 1, [1])),
            framed("a window of nothing", RawFrame(.windowUpdate, on: 0, RawFrame.number(0, 4))),
            framed("a reset of nothing", RawFrame(.reset, on: 1, RawFrame.number(8, 4))),
            framed("a promise", RawFrame(.push, RawFrame.wholeBlock, on: 1, RawFrame.number(2, 4) + block)),
            framed("a continuation of nothing", RawFrame(.continuation, RawFrame.wholeBlock, on: 1, block)),
            framed("half a ping", RawFrame(.ping, on: 0, [1])),
            framed("half a setting", RawFrame(.settings, on: 0, [0])),
            framed(
                "a block that cannot be read", RawFrame(.headers, whole, on: 1, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F])),
            framed("a reference to nothing", RawFrame(.headers, whole, on: 1, [0x80 | 126])),
            BadStream(
                name: "a window beyond the largest",
                bytes: RawFrame(.windowUpdate, on: 0, RawFrame.number(0x7FFF_FFFF, 4)).bytes, expected: ["refused"]),
        ]
    }
}
