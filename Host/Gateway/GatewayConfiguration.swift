// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import NIOCore

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
    /// Looks up the answer of every audited change and fails with GW-ANSWER-001 where there is none. For tests.
    public var verifyAnswers = false
    /// Realtime streams.
    public var realtime = Realtime()

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

    /// Sizes and counts.
    public struct Limits: Sendable {
        /// Open connections; more are closed at once.
        public var connections = 4096
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

    /// A token bucket.
    public struct Rate: Sendable, Hashable {
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
