// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A place where a server may listen.
struct ServerAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name, an address, or the folder of a socket.
    var host: String
    var port: Int

    var description: String { "\(host):\(port)" }

    /// Reads `host`, `host:port`, `[::1]:port` or the path of a socket's folder; nil where it is none of them.
    init?(_ text: String, port: Int) {
        self.port = port
        host = text
        if text.hasPrefix("/") { return }
        var rest = text[...]
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = String(text[text.index(after: text.startIndex)..<end])
            rest = text[text.index(after: end)...]
        } else if text.count(where: { $0 == ":" }) == 1, let colon = text.firstIndex(of: ":") {
            host = String(text[..<colon])
            rest = text[colon...]
        } else {
            rest = ""
        }
        guard !host.isEmpty, !host.contains(where: { $0 == "," || $0.isWhitespace }) else { return nil }
        if rest.isEmpty { return }
        guard let number = Int(rest.dropFirst()), (1...65535).contains(number) else { return nil }
        self.port = number
    }

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

/// How connections are made.
struct ServerOptions: Sendable {
    /// Tried in turn, beginning with the one that answered last.
    var addresses: [ServerAddress]
    var database: String
    var user: String
    /// Never printed.
    var password: String
    /// disable, allow, prefer, require, verify-ca or verify-full.
    var sslMode = "prefer"
    /// The file of the authority that the server's certificate is checked against; empty: the system's.
    var authority = ""
    var applicationName = "theatre"
    /// Whether only a server that takes writes will do.
    var wantsWriter = true
    /// False behind a proxy that gives each transaction another server.
    var prepares = true
    var connectMilliseconds = 5000

    /// What libpq is told for one address.
    func parameters(for address: ServerAddress) -> [(String, String)] {
        var parameters = [
            ("host", address.host), ("port", String(address.port)), ("dbname", database), ("user", user),
            ("sslmode", sslMode), ("application_name", applicationName), ("client_encoding", "UTF8"),
            ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "15000"), ("fallback_application_name", "theatre"),
        ]
        if !password.isEmpty { parameters.append(("password", password)) }
        if !authority.isEmpty { parameters.append(("sslrootcert", authority)) }
        if wantsWriter { parameters.append(("target_session_attrs", "read-write")) }
        return parameters
    }
}
