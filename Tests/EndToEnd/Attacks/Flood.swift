// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Frames that come again and again on one connection.
struct Flood: Sendable {
    var name: String
    /// So many parts are never taken: the server has closed before.
    var most = 200
    var start: [UInt8] = []
    /// Whether the connection may live on: who reads what he is answered costs no memory.
    var mayLast = false
    var part: @Sendable (Int) -> [UInt8]

    private static let request = RawFrame.block(BadStream.fields("GET", "/api/v1/me"))

    private static func repeated(_ frame: RawFrame, _ count: Int = 500) -> [UInt8] {
        Array(repeatElement(frame.bytes, count: count).joined())
    }

    static let all = [
        // CVE-2023-44487: each request is work for the server and nothing for who resets it.
        Flood(name: "requests that are reset at once") { part in
            (0..<250).flatMap { index -> [UInt8] in
                let stream = UInt32(part * 250 + index) * 2 + 1
                let headers = RawFrame(
                    .headers, RawFrame.wholeBlock | RawFrame.end, on: stream,
                    RawFrame.block(BadStream.fields("GET", "/api/v1/me")))
                return headers.bytes + RawFrame(.reset, on: stream, RawFrame.number(8, 4)).bytes
            }
        },
        // CVE-2024-27316: a field block that never ends.
        Flood(name: "continuations without end", start: RawFrame(.headers, on: 1, request).bytes) { _ in
            repeated(RawFrame(.continuation, on: 1, RawFrame.block([("x-a", "b")])), 50)
        },
        Flood(name: "empty continuations", start: RawFrame(.headers, on: 1, request).bytes) { _ in
            repeated(RawFrame(.continuation, on: 1), 50)
        },
        // One big field in the table, named again and again by one byte each.
        Flood(
            name: "a bomb of references",
            start: RawFrame(
                .headers, on: 1,
                request + [0x40] + RawFrame.block([("x-bomb", String(repeating: "a", count: 3500))]).dropFirst()
            ).bytes
        ) { _ in RawFrame(.continuation, on: 1, [UInt8](repeating: 0x80 | 62, count: 16_000)).bytes },
        Flood(
            name: "empty data",
            start: RawFrame(
                .headers, RawFrame.wholeBlock, on: 1, RawFrame.block(BadStream.fields("POST", "/api/v1/auth/login"))
            ).bytes
        ) { _ in repeated(RawFrame(.data, on: 1)) },
        Flood(name: "settings", most: 50, mayLast: true) { _ in repeated(RawFrame(.settings, on: 0)) },
        Flood(name: "pings", most: 50, mayLast: true) { _ in
            repeated(RawFrame(.ping, on: 0, [UInt8](repeating: 1, count: 8)))
        },
        Flood(name: "frames beyond the largest size") { _ in
            RawFrame(.data, on: 1, [UInt8](repeating: 0, count: 1 << 20)).bytes
        },
        Flood(name: "HTTP/1.1 after all") { _ in Array("GET /api/v1/me HTTP/1.1\r\nHost: t\r\n\r\n".utf8) },
    ]
}
