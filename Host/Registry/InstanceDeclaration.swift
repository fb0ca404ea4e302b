// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreManifest

/// A plugin with one configuration: one file of `plugins.d`.
public struct InstanceDeclaration: Sendable, Hashable {
    /// Unique in the deployment.
    public var name: String
    /// Name of an installed plugin.
    public var plugin: String
    /// False: neither its capabilities nor its needs count.
    public var enabled = true
    /// True: the host does not start without it.
    public var critical = false
    /// `inproc`, `isolated` or `remote`.
    public var mode = "inproc"
    /// What it is held to where it runs isolated.
    public var isolation = Isolation()
    /// Where it is served, where its mode is `remote`; else nil.
    public var remote: Remote?
    /// What it may touch.
    public var grants = Grants()
    /// Its configuration, an object.
    public var config: JSONValue = .object([:])
    /// Where it and its parts were declared.
    public var map: SourceMap

    /// An instance with everything at its default.
    public init(name: String, plugin: String, map: SourceMap) {
        self.name = name
        self.plugin = plugin
        self.map = map
    }

    /// Where it was declared.
    public var source: Source { map.source(at: "") }

    /// What an isolated instance is held to, as written; nil is what the host's file says.
    public struct Isolation: Sendable, Hashable {
        /// `strict` or `best`.
        public var requireSandbox: String?
        /// Most MiB of writable memory.
        public var memory: Int?
        /// Most threads.
        public var threads: Int?
        /// A crash writes a stack.
        public var stack = false

        /// As the host's file says.
        public init() {}
    }

    /// What an instance may touch, as written.
    public struct Grants: Sendable, Hashable {
        /// Hosts it may reach.
        public var egress: [Egress] = []
        /// Secrets, by the plugin's names.
        public var secrets: [String: Secret] = [:]
        /// Keys, by the plugin's names: the host's name of each.
        public var keys: [String: String] = [:]
        /// First words of event types it may publish.
        public var publishes: [String] = []
        /// True: it has a folder of its own.
        public var stateFolder = false
        /// Files and folders it may read or write.
        public var files: [File] = []
        /// Servers it may talk to by a protocol of its own.
        public var connect: [Egress] = []
        /// True: it operates the host's instances.
        public var operate = false
        /// True: it seals personal data by keys of persons, and has it exported and erased.
        public var personal = false

        /// No grants.
        public init() {}
    }

    /// A file or folder that an instance may touch.
    public struct File: Sendable, Hashable {
        /// Absolute.
        public var path: String
        /// True: it may be changed.
        public var isWritable: Bool

        /// A file that may be touched.
        public init(path: String, isWritable: Bool) {
            self.path = path
            self.isWritable = isWritable
        }
    }

    /// A host that an instance may reach.
    public struct Egress: Sendable, Hashable {
        /// A name, an address, `*.domain`, or `self` for this deployment's own listener.
        public var host: String
        /// Nil: 443.
        public var port: Int?
        /// True: also where the name leads to a private address.
        public var isPrivate: Bool

        /// A host that may be reached.
        public init(host: String, port: Int? = nil, isPrivate: Bool = false) {
            self.host = host
            self.port = port
            self.isPrivate = isPrivate
        }
    }

    /// A secret and where it may go.
    public struct Secret: Sendable, Hashable {
        /// `env:NAME`, `file:PATH`, `store:NAME` or `vault:INSTANCE/PATH#FIELD`.
        public var from: String
        /// Hosts it may be sent to.
        public var hosts: [String]

        /// A secret from a place.
        public init(from: String, hosts: [String] = []) {
            self.from = from
            self.hosts = hosts
        }
    }
}

extension InstanceDeclaration {
    /// Reads one parsed file of `plugins.d`; every unknown key is an error.
    ///
    /// - Throws: `ManifestError` for the first fault, with a pointer to it.
    public init(reading value: JSONValue, map: SourceMap) throws {
        var reader = try ObjectReader(value)
        plugin = try reader.string("plugin")
        name = try reader.optionalString("instance") ?? plugin.lowercased()
        enabled = try reader.bool("enabled", default: true)
        critical = try reader.bool("critical", default: false)
        mode = try reader.choice("mode", of: ["inproc", "isolated", "remote"], default: "inproc")
        isolation = try Isolation(reading: reader.value("isolation") ?? .object([:]))
        remote = try reader.value("remote").map { try Remote(reading: $0) }
        guard (mode == "remote") == (remote != nil) else {
            throw ManifestError(
                code: "manifest.missing", pointer: "/\(remote == nil ? "remote" : "mode")",
                message: remote == nil
                    ? "is missing; mode remote wants the endpoint there"
                    : "is \(mode); an instance with a remote endpoint has mode: remote")
        }
        grants = try Grants(reading: reader.value("grants") ?? .object([:]), at: "/grants")
        config = .object(try reader.object("config"))
        self.map = map
        try reader.finish()
    }
}

extension InstanceDeclaration.Isolation {
    init(reading value: JSONValue) throws {
        var reader = try ObjectReader(value, at: "/isolation")
        if reader.value("require_sandbox") != nil {
            requireSandbox = try reader.choice("require_sandbox", of: ["strict", "best"])
        }
        if reader.value("memory_mib") != nil { memory = try reader.bounded("memory_mib", 16...1 << 20, default: 0) }
        if reader.value("threads") != nil { threads = try reader.bounded("threads", 4...100_000, default: 0) }
        stack = try reader.bool("stack", default: false)
        try reader.finish()
    }
}

extension InstanceDeclaration.File {
    init(reading value: JSONValue, at pointer: String) throws {
        var reader = try ObjectReader(value, at: pointer)
        path = try reader.string("path")
        isWritable = try reader.choice("access", of: ["read", "write"], default: "read") == "write"
        guard path.hasPrefix("/"), !path.contains("/../"), !path.hasSuffix("/.."), !path.contains("\0") else {
            throw ManifestError(
                code: "manifest.choice", pointer: reader.pointer(to: "path"),
                message: "is \"\(path)\"; an absolute path without .. is expected")
        }
        try reader.finish()
    }
}

extension InstanceDeclaration.Grants {
    init(reading value: JSONValue, at pointer: String) throws {
        var reader = try ObjectReader(value == .null ? .object([:]) : value, at: pointer)
        egress = try reader.array("egress").enumerated().map { index, element in
            try InstanceDeclaration.Egress(reading: element, at: "\(pointer)/egress/\(index)")
        }
        for (name, value) in try reader.object("secrets") {
            var secret = try ObjectReader(value, at: "\(pointer)/secrets/\(name)")
            let from = try secret.string("from")
            let isNamed = ["env:", "file:", "store:"].contains { from.hasPrefix($0) && from.count > $0.count }
            guard isNamed || VaultReference(from) != nil else {
                throw ManifestError(
                    code: "manifest.choice", pointer: secret.pointer(to: "from"),
                    message: "does not say where the secret is; env:NAME, file:PATH, store:NAME or "
                        + "vault:INSTANCE/PATH#FIELD is expected")
            }
            secrets[name] = InstanceDeclaration.Secret(from: from, hosts: try secret.strings("hosts"))
            try secret.finish()
        }
        for (name, value) in try reader.object("keys") {
            var key = try ObjectReader(value, at: "\(pointer)/keys/\(name)")
            keys[name] = try key.string("key")
            try key.finish()
        }
        publishes = try reader.strings("publishes")
        stateFolder = try reader.bool("state_folder", default: false)
        files = try reader.array("files").enumerated().map { index, element in
            try InstanceDeclaration.File(reading: element, at: "\(pointer)/files/\(index)")
        }
        connect = try reader.array("connect").enumerated().map { index, element in
            try InstanceDeclaration.Egress(reading: element, at: "\(pointer)/connect/\(index)")
        }
        operate = try reader.bool("operate", default: false)
        personal = try reader.bool("personal", default: false)
        try reader.finish()
    }
}

extension InstanceDeclaration.Egress {
    init(reading value: JSONValue, at pointer: String) throws {
        if case .string(let text) = value {
            guard let endpoint = Endpoint(text) else {
                throw ManifestError(
                    code: "manifest.choice", pointer: pointer,
                    message: "is \"\(text)\"; host, host:port or *.domain is expected, without a scheme")
            }
            self.init(host: endpoint.host, port: endpoint.port)
            return
        }
        var reader = try ObjectReader(value, at: pointer)
        let host = try reader.string("host")
        let port = try reader.integer("port")
        let isPrivate = try reader.bool("private", default: false)
        try reader.finish()
        guard (1...65535).contains(port ?? 443) else {
            throw ManifestError(code: "manifest.range", pointer: "\(pointer)/port", message: "must be 1 to 65535")
        }
        self.init(host: host.lowercased(), port: port.map(Int.init), isPrivate: isPrivate)
    }
}
