// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
public import TheatreManifest

/// How the gateway listens and what it puts up with.
public struct GatewayConfiguration: Sendable {
    /// Address to bind.
    public var host = "127.0.0.1"
    /// Port to bind; 0 for any free one.
    public var port = 8080
    /// Certificate and key; nil for cleartext.
    public var tls: TLS?
    /// Limits of connections and requests.
    public var limits = Limits()
    /// How long a client may take.
    public var timeouts = Timeouts()
    /// Token buckets by rate class; a class that is not listed is not limited.
    public var rates: [String: Rate] = [:]
    /// Tenants by name; `default` there is in any case.
    public var tenants: [String: Tenant] = [:]
    /// Looks up the answer of every audited change and fails with GW-ANSWER-001 where there is none. For tests.
    public var verifyAnswers = false
    /// Realtime streams.
    public var realtime = Realtime()
    /// Where clients reach it, `https://theatre.example.org`; empty where that is not said.
    public var publicURL = ""
    /// Proxies whose X-Forwarded-For counts.
    public var trustedProxies: [AddressBlock] = []
    /// Pages of other origins.
    public var crossOrigin = CrossOrigin()
    /// Sessions may be kept in a cookie.
    public var allowsCookies = false
    /// How long browsers are to insist on TLS once they saw it; 0: not said.
    public var hstsSeconds = 31_536_000

    /// Clients speak TLS with it, or with a proxy before it.
    var isTLS: Bool { tls != nil || publicURL.hasPrefix("https://") }

    /// Loopback, port 8080, cleartext.
    public init() {}

    /// PEM files.
    public struct TLS: Sendable {
        /// Certificate chain, leaf first.
        public var certificateFile: String
        /// Private key.
        public var keyFile: String

        /// Files to load at bind.
        public init(certificateFile: String, keyFile: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    /// What pages of other origins may do.
    public struct CrossOrigin: Sendable {
        /// `https://console.example.org`.
        public var origins: [String] = []
        /// They may send the session's cookie.
        public var allowsCredentials = false
        /// How long a browser may keep what it was told.
        public var maxAgeSeconds = 600

        /// None.
        public init() {}
    }

    /// Sizes and counts.
    public struct Limits: Sendable {
        /// Open connections; more are closed at once.
        public var connections = 4096
        /// Open connections of one IPv4 address, or of 64 bits of IPv6; more are closed at once. Trusted proxies have as
        /// many as they like.
        public var connectionsOfOne = 1024
        /// Requests at once; more are answered 503. The last quarter is for callers who are signed in.
        public var requests = 8192
        /// HTTP/2 streams of one connection.
        public var concurrentStreams = 100
        /// Bytes of the request target; more is 414.
        public var target = 8192
        /// Bytes of all header fields together; more is 431.
        public var headers = 32 * 1024
        /// Number of header fields; more is 431.
        public var headerCount = 100

        /// The defaults.
        public init() {}
    }

    /// Times after which a slow client is given up.
    public struct Timeouts: Sendable {
        /// From the first byte of a request to the end of its headers; answers 408.
        public var headers = TimeAmount.seconds(10)
        /// Between two parts of a body; answers 408.
        public var body = TimeAmount.seconds(30)
        /// For taking the next part of a streamed answer; breaks it off.
        public var answer = TimeAmount.seconds(30)
        /// Between two requests of a connection; closes it.
        public var keepAlive = TimeAmount.seconds(60)
        /// For requests in flight once a drain has begun.
        public var drain = TimeAmount.seconds(10)

        /// The defaults.
        public init() {}
    }

    /// What is set of one tenant.
    public struct Tenant: Sendable, Hashable {
        /// Names of hosts, in lower case and without ports, that strangers of it come by.
        public var hosts: [String]
        /// Nobody of it is let in.
        public var isClosed: Bool

        /// A tenant.
        public init(hosts: [String] = [], isClosed: Bool = false) {
            self.hosts = hosts
            self.isClosed = isClosed
        }
    }

    /// Limits of a rate class.
    public struct Rate: Sendable, Hashable {
        /// Of one caller: a principal, or, for strangers, one IPv4 address or 64 bits of IPv6.
        public var caller: Bucket
        /// Of all callers of one network: 24 bits of IPv4, 48 of IPv6.
        public var network: Bucket?
        /// Of all callers of one tenant.
        public var tenant: Bucket?
        /// Requests of the class at once, whoever makes them; 0: as many as there are.
        public var concurrent = 0

        /// Limits of each caller alone.
        public init(perMinute: Int, burst: Int) { caller = Bucket(perMinute: perMinute, burst: burst) }
    }

    /// A token bucket.
    public struct Bucket: Sendable, Hashable {
        /// Requests a minute in the long run.
        public var perMinute: Int
        /// Requests at once.
        public var burst: Int

        /// A bucket that starts full.
        public init(perMinute: Int, burst: Int) {
            self.perMinute = max(1, perMinute)
            self.burst = max(1, burst)
        }
    }

    /// Server-sent events.
    public struct Realtime: Sendable {
        /// Between two heartbeat comments.
        public var heartbeat = TimeAmount.seconds(15)
        /// How long a reader may leave the socket full before it is dropped.
        public var slowConsumer = TimeAmount.seconds(30)
        /// Events of one read of the log.
        public var batch = 100
        /// How long one read waits for a first event, in milliseconds; at most 30,000.
        public var waitMilliseconds = 10_000

        /// The defaults.
        public init() {}
    }
}
