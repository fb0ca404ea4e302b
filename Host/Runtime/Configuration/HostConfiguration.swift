// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Registry
public import TheatreManifest

/// `00-host.yaml`: how this deployment listens, keeps its state and limits its clients. Everything has a default.
public struct HostConfiguration: Sendable, Hashable {
    /// Address to listen on.
    public var host: String
    /// Port to listen on; 0 for any free one.
    public var port: Int
    /// Where clients reach it; empty for `http://HOST:PORT`.
    public var publicURL: String
    /// Test clocks, simulators and plain HTTP are allowed.
    public var isDevelopment: Bool
    /// Certificate and key, PEM files; nil for plain HTTP.
    public var tls: TLS?
    /// How long browsers are to insist on TLS, in seconds; 0: not said.
    public var hstsSeconds: Int
    /// Proxies whose X-Forwarded-For counts: `10.0.0.0/8`.
    public var trustedProxies: [AddressBlock]
    /// Pages of other origins.
    public var crossOrigin: CrossOrigin
    /// Sessions may be kept in a cookie.
    public var allowsCookies: Bool
    /// Requests that plugins make to the outside.
    public var egress: Egress
    /// Folder for everything that survives, relative to the working folder.
    public var state: String
    /// Instance that keeps the host's own rows.
    public var storage: String
    /// Access tokens.
    public var tokens: Tokens
    /// Logs.
    public var log: Log
    /// What must hold of a library before it is loaded.
    public var trust: Trust
    /// Bounds of connections and requests.
    public var limits: Limits
    /// Rate classes by name.
    public var rates: [String: Rate]
    /// What is set of tenants, by name.
    public var tenants: [String: Tenant]
    /// Folders of secrets and keys, relative to `state`.
    public var secretsFolder: String
    /// As `secretsFolder`.
    public var keysFolder: String
    /// Instance whose master key wraps the data keys of stored secrets.
    public var keySource: String
    /// Missing keys are made at the start; so it is in development where nothing else is said.
    public var generatesKeys: Bool
    /// What instances of mode `isolated` are held to, where their own files do not say.
    public var isolation: Isolation
    /// Longest drain at a stop, in seconds.
    public var drainSeconds: Int
    /// Longest `create`, `activate` and `self_test` of an instance, in seconds.
    public var controlSeconds: Int
    /// Builds of one plugin that swaps may map before the host is restarted; none is ever unmapped.
    public var residentBuilds: Int
    /// How long events are kept that every consumer has taken, in days; 0: for ever.
    public var eventDays: Int
    /// How long jobs are kept that are done or cancelled, in hours; 0: for ever.
    public var endedJobHours: Int
    /// How long dead jobs are kept, in days; 0: for ever.
    public var deadJobDays: Int
    /// The key that signs checkpoints of the audit log.
    public var auditKey: String
    /// How long audit rows are kept, by whole segments, in days; 0: for ever.
    public var auditDays: Int

    /// What instances of mode `isolated` are held to.
    public struct Isolation: Sendable, Hashable {
        /// `strict`: none starts where a guard cannot be enforced; `best`: its status says what is missing.
        public var requireSandbox: String
        /// Most MiB of writable memory.
        public var memory: Int
        /// Most threads.
        public var threads: Int
        /// Longest silence, in seconds, before one counts as hanging.
        public var hangSeconds: Int
        /// With so many crashes within ``crashWindow`` an instance is quarantined.
        public var crashLimit: Int
        /// In seconds.
        public var crashWindow: Int
    }

    /// Certificate and key.
    public struct TLS: Sendable, Hashable {
        /// PEM file, chain first.
        public var certificate: String
        /// PEM file.
        public var key: String
    }

    /// What pages of other origins may do.
    public struct CrossOrigin: Sendable, Hashable {
        /// `https://console.example.org`.
        public var origins: [String]
        /// They may send the session's cookie.
        public var allowsCredentials: Bool
        /// How long a browser may keep what it was told.
        public var maxAgeSeconds: Int
    }

    /// What requests to the outside trust.
    public struct Egress: Sendable, Hashable {
        /// PEM files of certificate authorities that are trusted beside those of the system.
        public var authorities: [String]
    }

    /// How access tokens are checked.
    public struct Tokens: Sendable, Hashable {
        /// Name of the signing key; empty where nobody signs in.
        public var key: String
        /// `iss`.
        public var issuer: String
        /// `aud`.
        public var audience: String
    }

    /// How much is logged, and how.
    public struct Log: Sendable, Hashable {
        /// trace, debug, info, notice, warning or error.
        public var level: String
        /// console or json.
        public var format: String
    }

    /// What must hold of a library before it is loaded.
    public struct Trust: Sendable, Hashable {
        /// `allow`, `warn` or `refuse` what `plugins.lock` does not name. What it names otherwise is always refused.
        public var unlocked: String
        /// Folder of the public keys of which one must have signed every library; empty for none.
        public var signatures: String
        /// `allow`, `warn` or `refuse` libraries that others may write.
        public var files: String
        /// `allow`, `warn` or `refuse` libraries for which the lock has no badge that will do.
        public var badges: String
        /// Least version of the validator's checks whose badge will do.
        public var badgeKit: Int
        /// `full` or `quick`: what a badge must have been made of at least.
        public var badgeProfile: String
        /// Which libraries are tried in a child before they are first loaded: `never`, `serving`: those loaded while the
        /// host serves, `unlocked`: also those not locked, `always`.
        public var probe: String
        /// Longest trial, in seconds.
        public var probeSeconds: Int
    }

    /// Bounds that keep one client from starving others.
    public struct Limits: Sendable, Hashable {
        /// Open connections.
        public var connections: Int
        /// Open connections of one IPv4 address, or of 64 bits of IPv6.
        public var connectionsOfOne: Int
        /// Requests at once; the last quarter is for callers who are signed in.
        public var requests: Int
        /// Bytes of a header block.
        public var headerBytes: Int
        /// Seconds for a header block to arrive.
        public var headerSeconds: Int
        /// Seconds without a byte of a body.
        public var bodySeconds: Int
        /// How long a client may take nothing of a streamed answer.
        public var answerSeconds: Int
        /// Seconds a kept connection may idle.
        public var idleSeconds: Int
    }

    /// What is set of one tenant.
    public struct Tenant: Sendable, Hashable {
        /// Names of hosts that strangers of it come by, in lower case.
        public var hosts: [String]
        /// Nobody of it is let in.
        public var isClosed: Bool
    }

    /// Limits of a rate class.
    public struct Rate: Sendable, Hashable {
        /// Requests a minute of one caller, refilled evenly.
        public var perMinute: Int
        /// Most at once.
        public var burst: Int
        /// Of all callers of one network: 24 bits of IPv4, 48 of IPv6.
        public var network: Bucket?
        /// Of all callers of one tenant.
        public var tenant: Bucket?
        /// Requests at once, whoever makes them; 0: as many as there are.
        public var concurrent = 0

        /// What bounds nothing: `per_minute: 0`.
        public static let unlimited = Rate(perMinute: 0, burst: 0)
    }

    /// A token bucket.
    public struct Bucket: Sendable, Hashable {
        /// Requests a minute, refilled evenly.
        public var perMinute: Int
        /// Most at once.
        public var burst: Int
    }
}

extension HostConfiguration {
    /// Reads `00-host.yaml`.
    public init(_ document: YAMLDocument) throws(Fault) {
        do {
            self = try HostConfiguration(document.value)
        } catch {
            throw Fault(error, in: document.map)
        }
    }

    /// Reads the parsed file.
    public init(_ value: JSONValue) throws {
        var reader = try ObjectReader(value)
        host = try reader.optionalString("host") ?? "127.0.0.1"
        port = try reader.bounded("port", 0...65535, default: 8080)
        publicURL = try reader.optionalString("public_url") ?? ""
        isDevelopment = try reader.bool("development", default: false)
        tls = try reader.value("tls").map { try TLS($0, at: "/tls") }
        hstsSeconds = try reader.bounded("hsts_seconds", 0...63_072_000, default: 31_536_000)
        trustedProxies = try Self.blocks(&reader, "trusted_proxies")
        crossOrigin = try CrossOrigin(reader.value("cors") ?? .object([:]))
        allowsCookies = try reader.bool("cookies", default: false)
        egress = try Egress(reader.value("egress") ?? .object([:]))
        state = try reader.optionalString("state") ?? ".theatre"
        storage = try reader.optionalString("storage") ?? "sqlite"
        tokens = try Tokens(reader.value("tokens") ?? .object([:]))
        log = try Log(reader.value("log") ?? .object([:]))
        trust = try Trust(reader.value("trust") ?? .object([:]), isDevelopment: isDevelopment)
        limits = try Limits(reader.value("limits") ?? .object([:]))
        rates = try Self.rates(reader.object("rates"))
        tenants = try Self.tenants(reader.object("tenants"))
        secretsFolder = try reader.optionalString("secrets_folder") ?? "secrets"
        keysFolder = try reader.optionalString("keys_folder") ?? "keys"
        keySource = try reader.optionalString("key_source") ?? "keyfile"
        generatesKeys = try reader.bool("generate_keys", default: isDevelopment)
        isolation = try Isolation(reader.value("isolation") ?? .object([:]))
        drainSeconds = try reader.bounded("drain_seconds", 0...3600, default: 20)
        controlSeconds = try reader.bounded("control_seconds", 1...600, default: 20)
        residentBuilds = try reader.bounded("resident_builds", 1...1000, default: 16)
        var events = try ObjectReader(reader.value("events") ?? .object([:]), at: "/events")
        eventDays = try events.bounded("retention_days", 0...36_500, default: 30)
        try events.finish()
        var jobs = try ObjectReader(reader.value("jobs") ?? .object([:]), at: "/jobs")
        endedJobHours = try jobs.bounded("ended_hours", 0...876_000, default: 24)
        deadJobDays = try jobs.bounded("dead_days", 0...36_500, default: 30)
        try jobs.finish()
        var audit = try ObjectReader(reader.value("audit") ?? .object([:]), at: "/audit")
        auditKey = try audit.optionalString("key") ?? "audit"
        auditDays = try audit.bounded("retention_days", 0...36_500, default: 0)
        try audit.finish()
        try reader.finish()
    }
}

extension HostConfiguration.Isolation {
    init(_ value: JSONValue) throws {
        var reader = try ObjectReader(value, at: "/isolation")
        requireSandbox = try reader.choice("require_sandbox", of: ["strict", "best"], default: "best")
        memory = try reader.bounded("memory_mib", 16...1 << 20, default: 1024)
        threads = try reader.bounded("threads", 4...100_000, default: 256)
        hangSeconds = try reader.bounded("hang_seconds", 0...3600, default: 10)
        crashLimit = try reader.bounded("crash_limit", 1...100, default: 5)
        crashWindow = try reader.bounded("crash_window_seconds", 1...86_400, default: 60)
        try reader.finish()
    }

    /// When an instance that crashed is started again.
    public var crashes: CrashPolicy {
        var policy = CrashPolicy()
        policy.limit = crashLimit
        policy.window = Int64(crashWindow) * 1000
        return policy
    }
}

extension HostConfiguration.TLS {
    init(_ value: JSONValue, at pointer: String) throws {
        var reader = try ObjectReader(value, at: pointer)
        certificate = try reader.string("certificate")
        key = try reader.string("key")
        try reader.finish()
    }
}

extension HostConfiguration.Egress {
    init(_ value: JSONValue) throws {
        var reader = try ObjectReader(value, at: "/egress")
        authorities = try reader.strings("ca_files")
        try reader.finish()
    }
}

extension HostConfiguration.Tokens {
    init(_ value: JSONValue) throws {
        var reader = try ObjectReader(value, at: "/tokens")
        key = try reader.optionalString("key") ?? "session"
        issuer = try reader.optionalString("issuer") ?? "theatre"
        audience = try reader.optionalString("audience") ?? "theatre"
        try reader.finish()
    }
}

extension HostConfiguration.Log {
    init(_ value: JSONValue) throws {
        var reader = try ObjectReader(value, at: "/log")
        level = try reader.choice(
            "level", of: ["trace", "debug", "info", "notice", "warning", "error"], default: "info")
        format = try reader.choice("format", of: ["console", "json"], default: "console")
        try reader.finish()
    }
}

extension HostConfiguration.Trust {
    init(_ value: JSONValue, isDevelopment: Bool) throws {
        var reader = try ObjectReader(value, at: "/trust")
        let policies = ["allow", "warn", "refuse"]
        unlocked = try reader.choice("unlocked", of: policies, default: "allow")
        signatures = try reader.optionalString("signatures") ?? ""
        files = try reader.choice("files", of: policies, default: isDevelopment ? "warn" : "refuse")
        badges = try reader.choice("badges", of: policies, default: "allow")
        badgeKit = try reader.bounded("badge_kit", 1...1_000_000, default: 1)
        badgeProfile = try reader.choice("badge_profile", of: ["full", "quick"], default: "full")
        probe = try reader.choice("probe", of: ["never", "serving", "unlocked", "always"], default: "serving")
        probeSeconds = try reader.bounded("probe_seconds", 1...600, default: 10)
        try reader.finish()
    }
}
