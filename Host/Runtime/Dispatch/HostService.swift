// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What plugins may ask of the host: one contract of `theatre.host.v1`, served by a value the host hands to the runtime.
public protocol HostService: Sendable {
    /// Full name of the contract: `theatre.host.v1.Egress`.
    var contract: String { get }

    /// A route of an instance may be bound to its operations: the gateway calls it for that instance, past the plugin.
    var servesRoutes: Bool { get }

    /// Serves one call of one operation (`Fetch`), on any thread; must not block. Answers through `call`, exactly once,
    /// inline or later.
    func serve(_ operation: String, _ call: any HostCall)
}

extension HostService {
    /// Only plugins call it.
    public var servesRoutes: Bool { false }
}

/// A call that a plugin makes to the host.
public protocol HostCall: AnyObject, Sendable {
    /// Who calls.
    var instance: InstanceIdentity { get }
    /// On whose behalf.
    var context: CallContext { get }
    /// One request message; valid as long as the call object.
    var payload: [UInt8] { get }
    /// Absolute, on the host's monotonic clock, in nanoseconds.
    var deadline: UInt64 { get }
    /// Stable over attempts; empty for none.
    var idempotencyKey: String { get }
    /// From 1.
    var attempt: UInt32 { get }
    /// One `theatre.host.v1.RouteAttributes`, or empty.
    var attributes: [UInt8] { get }
    /// False once the answer is no longer wanted.
    var isWanted: Bool { get }

    /// Answers with one response message.
    func complete(_ payload: [UInt8])
    /// Fails.
    func fail(_ error: CallError)
    /// Sends a message of the outgoing stream; false where there is no credit (wait for ``onCredit(_:)``) or it has ended.
    func send(_ message: [UInt8], end: Bool) -> Bool
    /// Calls `body` each time the plugin takes more. Set it once, before the first send.
    func onCredit(_ body: @escaping @Sendable () -> Void)
    /// Calls `body` once if the answer is given up.
    func onCancel(_ body: @escaping @Sendable () -> Void)
    /// Calls `body` with each message of the incoming stream and whether it is the last; with no bytes, that one is none.
    /// Set it before the first ``credit(_:)``; what came before is handed over at once.
    func onMessage(_ body: @escaping @Sendable ([UInt8], Bool) -> Void)
    /// Lets the plugin send this many bytes more.
    func credit(_ bytes: UInt64)
}

extension HostCall {
    /// None.
    public var idempotencyKey: String { "" }
    /// The first.
    public var attempt: UInt32 { 1 }
    /// None.
    public var attributes: [UInt8] { [] }
    /// For calls without an incoming stream.
    public func onMessage(_ body: @escaping @Sendable ([UInt8], Bool) -> Void) {}
    /// For calls without an incoming stream.
    public func credit(_ bytes: UInt64) {}
}

/// Who a running instance is and what it may touch. Fixed for the life of a generation.
public struct InstanceIdentity: Sendable {
    /// Name in `plugins.d`.
    public var instance: String
    /// Name of the plugin.
    public var plugin: String
    /// Counts the loads of this instance from 1.
    public var generation: UInt32
    /// Manifest ∩ grant.
    public var grants: ResolvedGrants
    /// Names of the queues in its manifest.
    public var queues: [String]

    /// An identity.
    public init(
        instance: String, plugin: String, generation: UInt32, grants: ResolvedGrants, queues: [String] = []
    ) {
        self.queues = queues
        self.instance = instance
        self.plugin = plugin
        self.generation = generation
        self.grants = grants
    }
}

/// What an instance may touch: what its manifest asks for and its deployment grants.
public struct ResolvedGrants: Sendable {
    /// Where it may send HTTP.
    public var egress: [EgressGrant] = []
    /// Secrets by the plugin's names.
    public var secrets: [String: SecretGrant] = [:]
    /// Keys by the plugin's names.
    public var keys: [String: KeyGrant] = [:]
    /// First words of event types it may publish.
    public var publishes: Set<String> = []
    /// May operate the host's instances.
    public var operates = false
    /// May seal personal data by keys of persons, and have it exported and erased.
    public var personal = false

    /// Nothing.
    public init() {}

    /// One HTTP destination.
    public struct EgressGrant: Sendable, Hashable {
        /// Lower-case host, or `*.domain` for every host below it.
        public var host: String
        /// A port; nil for 443 only.
        public var port: Int?
        /// May resolve to a private, loopback or link-local address, and may be plain HTTP.
        public var isPrivate: Bool

        /// A destination.
        public init(host: String, port: Int?, isPrivate: Bool) {
            self.host = host
            self.port = port
            self.isPrivate = isPrivate
        }
    }

    /// A secret bound to where it may go.
    public struct SecretGrant: Sendable, Hashable {
        /// Where the value comes from: `env:NAME`; `file:NAME`, relative to the deployment's secrets folder; `store:NAME`,
        /// in the database; `vault:INSTANCE/PATH#FIELD`, read by that instance.
        public var source: String
        /// Hosts it may be sent to; empty for leases.
        public var hosts: [String]
        /// Header names, and `path`, where it may be put.
        public var places: [String]
        /// True where it may be handed to the plugin.
        public var isLease: Bool

        /// A bound secret.
        public init(source: String, hosts: [String], places: [String], isLease: Bool) {
            self.source = source
            self.hosts = hosts
            self.places = places
            self.isLease = isLease
        }
    }

    /// A key and its algorithms.
    public struct KeyGrant: Sendable, Hashable {
        /// The deployment's name for it, or the secret that holds it: `store:NAME`, `file:NAME` or `env:NAME`.
        public var key: String
        /// EdDSA, ES256, RS256 or HS256: what a missing key is made as; RS256 is never made.
        public var algorithm: String
        /// What the key may be of instead.
        public var also: [String]

        /// A key.
        public init(key: String, algorithm: String, also: [String] = []) {
            self.key = key
            self.algorithm = algorithm
            self.also = also
        }

        /// The secret that holds it; nil where it is one of the host's own keys.
        public var source: String? {
            ["store:", "file:", "env:"].contains { key.hasPrefix($0) } ? key : nil
        }

        /// Whether a version of this algorithm is of use.
        public func takes(_ algorithm: String) -> Bool { algorithm == self.algorithm || also.contains(algorithm) }
    }
}
