// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import Runtime

/// An absolute http or https URL, read strictly: what two parsers could read in two ways is refused.
struct EgressURL: Sendable, Hashable {
    /// True for https.
    var isSecure: Bool
    /// Lower-case name, dotted IPv4, or IPv6 without brackets.
    var host: String
    /// Given, or the scheme's own.
    var port: Int
    /// From the first slash, at least "/"; placeholders still in.
    var path: String
    /// With its question mark, or empty.
    var query: String

    /// True where the host is an IPv6 literal.
    var isIPv6: Bool { host.utf8.contains(UInt8(ascii: ":")) }

    /// The literal address, if the host is one.
    var address: SocketAddress? {
        guard isIPv6 || host.utf8.allSatisfy({ $0 == UInt8(ascii: ".") || isDigit($0) }) else { return nil }
        do {
            return try SocketAddress(ipAddress: host, port: port)
        } catch {
            return nil
        }
    }

    /// Host and port as a person reads them.
    var place: String { "\(isIPv6 ? "[\(host)]" : host):\(port)" }

    /// The whole, with another path and query.
    func text(path: String, query: String) -> String { "\(isSecure ? "https" : "http")://\(place)\(path)\(query)" }

    /// Reads `text`, or INVALID_ARGUMENT `egress.bad_url`, which does not repeat it.
    init(parsing text: String) throws(CallError) {
        let bytes = Array(text.utf8)
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw Self.bad("holds a byte that is not printable ASCII; percent-encode it, and write hosts in ASCII")
        }
        guard !bytes.contains(UInt8(ascii: "#")) else { throw Self.bad("has a fragment; leave it out") }
        guard !bytes.contains(where: { #""\<>^`|"#.utf8.contains($0) }) else {
            throw Self.bad("holds a character that must be percent-encoded")
        }
        let lower = text.lowercased()
        guard lower.hasPrefix("https://") || lower.hasPrefix("http://") else {
            throw Self.bad("is not absolute; begin it with https://")
        }
        isSecure = lower.hasPrefix("https://")
        let rest = bytes.dropFirst(isSecure ? 8 : 7)
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        (host, port) = try Self.authority(String(decoding: rest[..<end], as: UTF8.self), isSecure ? 443 : 80)
        let target = rest[end...]
        let mark = target.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
        path = mark == target.startIndex ? "/" : String(decoding: target[..<mark], as: UTF8.self)
        query = String(decoding: target[mark...], as: UTF8.self)
    }

    private static func authority(_ text: String, _ standard: Int) throws(CallError) -> (String, Int) {
        guard !text.contains("@") else { throw bad("has user information; send it as a header") }
        var host = Substring(text)
        var digits: Substring?
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { throw bad("has an unclosed bracket in its host") }
            let after = text[text.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw bad("has a malformed host") }
            host = text[text.index(after: text.startIndex)..<close]
            digits = after.isEmpty ? nil : after.dropFirst()
            guard isIPv6Literal(host) else { throw bad("has a malformed IPv6 address") }
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            digits = text[text.index(after: colon)...]
        }
        let name = host.lowercased()
        if !text.hasPrefix("[") { try checkName(name) }
        guard let digits else { return (name, standard) }
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy(isDigit), let port = Int(digits),
            (1...65535).contains(port)
        else { throw bad("has a malformed port") }
        return (name, port)
    }

    private static func checkName(_ name: String) throws(CallError) {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, labels.allSatisfy({ (1...63).contains($0.utf8.count) && isLabel($0) }),
            let last = labels.last
        else { throw bad("has a malformed host name") }
        // A last label that begins with a digit is an address to some resolvers: only a dotted quad is let through.
        guard let first = last.utf8.first, isDigit(first) else { return }
        let quad = labels.count == 4 && labels.allSatisfy { UInt8($0).map(String.init) == String($0) }
        guard quad else { throw bad("has a number for a host; write an IPv4 address as four decimal numbers") }
    }

    private static func isLabel(_ label: Substring) -> Bool {
        label.utf8.allSatisfy { isDigit($0) || (0x61...0x7a).contains($0) || $0 == 0x2d || $0 == 0x5f }
            && label.utf8.first != 0x2d && label.utf8.last != 0x2d
    }

    private static func isIPv6Literal(_ text: Substring) -> Bool {
        guard text.contains(":"), text.utf8.allSatisfy({ isDigit($0) || "abcdefABCDEF:.".utf8.contains($0) }) else {
            return false
        }
        do {
            _ = try SocketAddress(ipAddress: String(text), port: 0)
            return true
        } catch {
            return false
        }
    }

    private static func bad(_ why: String) -> CallError {
        CallError(.invalidArgument, "egress.bad_url", "The URL \(why).", detail: "/url")
    }
}

private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
