// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreManifest

extension InstanceDeclaration {
    /// Where an instance of mode `remote` is served, as written.
    public struct Remote: Sendable, Hashable {
        /// Where its server listens.
        public var endpoint: Place
        /// A `plugin.json`, where no library of the plugin is installed here; else nil.
        public var manifest: String?
        /// The contracts of that manifest: a `FileDescriptorSet`.
        public var contracts: String?
        /// Who the two ends are to each other; nil: nobody, in plain text.
        public var tls: TLS?
        /// Longest time to reach the server, in seconds.
        public var connectSeconds = 5
        /// Time between two looks at a server that does not tell its health by itself, in seconds.
        public var probeSeconds = 5

        /// A server in plain text.
        public init(endpoint: Place) { self.endpoint = endpoint }
    }

    /// Where a server listens.
    public enum Place: Sendable, Hashable, CustomStringConvertible {
        /// A socket in the file system.
        case unix(String)
        /// A name or an address, and a port.
        case network(host: String, port: Int)

        /// `unix:/run/chat.sock` or `chat.internal:7443`.
        public var description: String {
            switch self {
            case .unix(let path): "unix:\(path)"
            case .network(let host, let port): "\(host):\(port)"
            }
        }

        /// Nobody else's machine hears what is said.
        public var isLocal: Bool {
            switch self {
            case .unix: true
            case .network(let host, _): host == "localhost" || host == "[::1]" || isLoopback(host)
            }
        }

        private func isLoopback(_ host: String) -> Bool { isAddress(host) && host.hasPrefix("127.") }

        /// A DNS name that a certificate can be for; nil where it is an address or a path.
        public var name: String? {
            guard case .network(let host, _) = self, !host.hasPrefix("["), !isAddress(host) else { return nil }
            return host
        }

        private func isAddress(_ host: String) -> Bool {
            let parts = host.split(separator: ".", omittingEmptySubsequences: false)
            return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
        }

        /// Reads `unix:/path` or `host:port`; nil where it is neither.
        public init?(_ text: String) {
            if text.hasPrefix("unix:") {
                let path = String(text.dropFirst(5))
                // sockaddr_un has 108 bytes with the final zero.
                guard path.hasPrefix("/"), path.utf8.count <= 107, !path.contains("\0") else { return nil }
                self = .unix(path)
                return
            }
            guard let endpoint = Endpoint(text), let port = endpoint.port, !endpoint.host.contains("*") else {
                return nil
            }
            self = .network(host: endpoint.host, port: port)
        }
    }

    /// Files in PEM by which the two ends know each other.
    public struct TLS: Sendable, Hashable {
        /// Authorities that may have signed the server's certificate.
        public var authority: String
        /// The host's own certificate.
        public var certificate: String
        /// Its key.
        public var key: String
        /// Name the server's certificate must be for.
        public var serverName: String

        /// Files, and a name.
        public init(authority: String, certificate: String, key: String, serverName: String) {
            self.authority = authority
            self.certificate = certificate
            self.key = key
            self.serverName = serverName
        }
    }
}

extension InstanceDeclaration.Remote {
    init(reading value: JSONValue) throws {
        var reader = try ObjectReader(value, at: "/remote")
        let text = try reader.string("endpoint")
        guard let endpoint = InstanceDeclaration.Place(text) else {
            throw ManifestError(
                code: "manifest.choice", pointer: reader.pointer(to: "endpoint"),
                message: "is \"\(text)\"; host:port or unix:/path is expected, without a scheme")
        }
        self.init(endpoint: endpoint)
        manifest = try reader.optionalString("manifest")
        contracts = try reader.optionalString("contracts")
        if contracts != nil, manifest == nil {
            throw ManifestError(
                code: "manifest.missing", pointer: reader.pointer(to: "manifest"),
                message: "is missing; the contracts of a manifest are stated together with it")
        }
        let isPlain = try reader.bool("plaintext", default: false)
        tls = try reader.value("tls").map { try InstanceDeclaration.TLS(reading: $0, for: endpoint) }
        connectSeconds = try reader.bounded("connect_seconds", 1...300, default: 5)
        probeSeconds = try reader.bounded("probe_seconds", 1...3600, default: 5)
        try reader.finish()
        try checkSecrecy(isPlain)
    }

    private func checkSecrecy(_ isPlain: Bool) throws {
        guard isPlain == (tls != nil) || (isPlain && !endpoint.isLocal) else { return }
        guard isPlain else {
            throw ManifestError(
                code: "manifest.missing", pointer: "/remote/tls",
                message: "is missing; state ca, certificate and key, or plaintext: true to loopback or a unix socket")
        }
        throw ManifestError(
            code: "manifest.choice", pointer: "/remote/plaintext",
            message: tls == nil
                ? "is true, and \(endpoint) is neither loopback nor a unix socket; state tls"
                : "is true beside tls; state one of them")
    }
}

extension InstanceDeclaration.TLS {
    init(reading value: JSONValue, for endpoint: InstanceDeclaration.Place) throws {
        var reader = try ObjectReader(value, at: "/remote/tls")
        authority = try reader.string("ca")
        certificate = try reader.string("certificate")
        key = try reader.string("key")
        guard let name = try reader.optionalString("server_name") ?? endpoint.name else {
            throw ManifestError(
                code: "manifest.missing", pointer: reader.pointer(to: "server_name"),
                message: "is missing; \(endpoint) has no name that a certificate could be for")
        }
        serverName = name
        try reader.finish()
    }
}
