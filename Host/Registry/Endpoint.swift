// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A host, perhaps with a port: of a grant, of a manifest's request, or of a configured URL.
struct Endpoint: Hashable, CustomStringConvertible {
    var host: String
    var port: Int?

    /// Reads `host`, `host:port`, `[v6]:port`, `*.domain`, `*`; nil where it is none of them.
    init?(_ text: some StringProtocol) {
        var host = String(text)
        if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]"),
            host.hasPrefix("[") || !host[..<colon].contains(":")
        {
            guard let port = Int(host[host.index(after: colon)...]), (1...65535).contains(port) else { return nil }
            self.port = port
            host = String(host[..<colon])
        }
        guard !host.isEmpty, !host.contains(where: { $0 == "/" || $0.isWhitespace || $0 == "@" }) else { return nil }
        self.host = host.lowercased()
    }

    init(host: String, port: Int?) {
        self.host = host
        self.port = port
    }

    /// Host and port of an absolute URL, with the scheme's own port where none is written.
    init?(url: String) {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0].hasSuffix(":"), parts[1].isEmpty else { return nil }
        let authority = parts[2].prefix { $0 != "?" && $0 != "#" }
        guard let endpoint = Endpoint(authority.split(separator: "@").last ?? "") else { return nil }
        self = endpoint
        if port == nil { port = ["http:", "ws:"].contains(parts[0].lowercased()) ? 80 : 443 }
    }

    /// True where all that `other` means is within this.
    func covers(_ other: Endpoint) -> Bool {
        if host == "*" { return true }
        if host == "self" || other.host == "self" { return host == other.host }
        guard (port ?? 443) == (other.port ?? 443) else { return false }
        if host == other.host { return true }
        return host.hasPrefix("*.") && other.host.hasSuffix(host.dropFirst())
    }

    var description: String { port.map { "\(host):\($0)" } ?? host }
}
