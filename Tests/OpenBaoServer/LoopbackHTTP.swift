// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Toolchains

/// One exchange with a server on 127.0.0.1, HTTP/1.0. It holds up its thread.
public enum LoopbackHTTP {
    /// What came back.
    public struct Answer: Sendable {
        /// HTTP status.
        public var status: Int
        /// Names in lower case.
        public var headers: [(String, String)]
        /// Whole.
        public var body: [UInt8]
    }

    /// Asks.
    ///
    /// - Throws: `ShellError` where no whole answer comes.
    public static func ask(
        _ port: Int, _ method: String, _ target: String, _ headers: [String: String], _ body: [UInt8]
    ) throws -> Answer {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw ShellError(description: "there is no socket") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw ShellError(description: "nobody listens on port \(port)") }
        var lines = headers.map { "\($0): \($1)\r\n" }.joined()
        if !body.isEmpty { lines += "content-length: \(body.count)\r\n" }
        var rest = Array("\(method) \(target) HTTP/1.0\r\nhost: 127.0.0.1:\(port)\r\n\(lines)\r\n".utf8) + body
        while !rest.isEmpty {
            let count = send(descriptor, rest, rest.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { throw ShellError(description: "the request cannot be sent") }
            rest.removeFirst(count)
        }
        var whole: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &room, room.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            whole += room[..<count]
        }
        return try parse(whole)
    }

    private static func parse(_ bytes: [UInt8]) throws -> Answer {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw ShellError(description: "the answer ends early")
        }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw ShellError(description: "the answer is no HTTP")
        }
        let headers = lines.dropFirst().compactMap { line -> (String, String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (line[..<colon].lowercased(), String(line[line.index(after: colon)...].drop { $0 == " " }))
        }
        return Answer(status: status, headers: headers, body: Array(bytes[end.upperBound...]))
    }
}
