// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials

/// What a plugin says about itself: `plugin.json`, embedded in the library's `.theatre.manifest` section.
public struct Manifest: Sendable, Hashable {
    /// Version of the manifest format; 1.
    public var format: Int64
    /// `[A-Z][A-Za-z0-9]*`: the library is `libNAME.so`, the entry `theatre_plugin_v1_NAME`.
    public var name: String
    /// Semantic version.
    public var version: String
    /// One sentence.
    public var summary: String
    /// What it needs of the interface.
    public var abi: ABI
    /// Where its work runs.
    public var executor: Executor
    /// Calls the host sends at once; more are RESOURCE_EXHAUSTED.
    public var maxConcurrency: Int
    /// Modes it may run in, of `inproc`, `isolated`, `remote`.
    public var modes: [String]
    /// Capabilities, with their attributes.
    public var provides: [Provision]
    /// `capability/Operation`, flat: the index of `theatre_request.operation` from the host.
    public var operations: [String]
    /// Features it needs others for.
    public var needs: [Need]
    /// `feature/Operation` or `theatre.host.v1.Service/Operation`, flat: the index of `theatre_request.operation` to the host.
    public var calls: [String]
    /// What it asks to be granted.
    public var grants: GrantRequest
    /// HTTP routes it serves.
    public var routes: [Route]
    /// Events it consumes.
    public var consumes: [Consumption]
    /// Queues it fills and works off.
    public var queues: [Queue]
    /// JSON Schema of its configuration.
    public var configuration: JSONValue

    /// The interface a library was built against.
    public struct ABI: Sendable, Hashable {
        /// Must equal the host's.
        public var major: Int64
        /// Least revision of the host that will do.
        public var minHostRevision: Int64
    }

    /// Where the work of a plugin runs. The SDK reads it.
    public struct Executor: Sendable, Hashable {
        /// `inline`: on the caller's thread, for short handlers that never wait. `pool`: on threads of its own.
        public var kind: String
        /// Threads of a pool, 1 to 64.
        public var threads: Int
    }

    /// A capability the plugin provides.
    public struct Provision: Sendable, Hashable {
        /// Full name of a contract.
        public var capability: String
        /// Typed by the contract.
        public var attributes: [String: JSONValue]
    }

    /// A feature the plugin needs another for.
    public struct Need: Sendable, Hashable {
        /// Dotted, unique in the deployment's plugin: `studio.retrieval.embed`.
        public var feature: String
        /// Full name of a contract.
        public var capability: String
        /// Requirements on its attributes.
        public var requires: [String: JSONValue]
        /// Whether another profile may be tried after a failure without effect: `allowed` or `forbidden`.
        public var fallback: String
        /// Where no route meets it: `refuse` to start, or `degrade`, calls then answer UNAVAILABLE `route.unrouted`.
        public var whenUnrouted: String
    }

    /// What the plugin asks to be granted; it gets what the deployment grants of it and no more.
    public struct GrantRequest: Sendable, Hashable {
        /// `host`, `host:port` or `*.domain` patterns, `self` for this deployment's own listener, or a pointer into the
        /// configuration, `config:/base_url`, whose URL's host and port are meant.
        public var egress: [String]
        /// Servers it talks to by a protocol of its own, in the same form; or `config:/hosts:/port`, the hosts that the
        /// configuration names there, each with its port or the one at the second pointer.
        public var connect: [String]
        /// What it does with files that the deployment names: `none`, `read` or `write`.
        public var files: String
        /// Secrets by the plugin's own names.
        public var secrets: [Secret]
        /// Keys by the plugin's own names.
        public var keys: [Key]
        /// First words of event types it publishes.
        public var publishes: [String]
        /// True where it wants a folder of its own.
        public var stateFolder: Bool
        /// True where it operates the host's instances, by `theatre.host.v1.Plugins`.
        public var operate: Bool
        /// True where it seals personal data and has it exported and erased, by `theatre.host.v1.PersonalKeys` and
        /// `theatre.host.v1.PersonalData`.
        public var personal: Bool

        /// A secret and where it may be put.
        public struct Secret: Sendable, Hashable {
            /// The plugin's name for it, as in `${secret:bot_token}`.
            public var name: String
            /// `egress`, substituted on the way out, or `lease`, handed to the plugin.
            public var use: String
            /// For egress: header names, and `path` for the URL's path.
            public var places: [String]
            /// Instances may run without it.
            public var optional: Bool
        }

        /// A key and what is done with it.
        public struct Key: Sendable, Hashable {
            /// The plugin's name for it.
            public var name: String
            /// `EdDSA`, `ES256`, `RS256` or `HS256`: what a missing key is made as; RS256 is never made.
            public var algorithm: String
            /// Other algorithms the plugin can do with, where the deployment's key is of one of them.
            public var also: [String]
            /// Instances may run without it.
            public var optional: Bool
            /// How long at most what it made counts, in seconds; nil for ever.
            public var lifetimeSeconds: Int64?
        }
    }

    /// An HTTP route.
    public struct Route: Sendable, Hashable {
        /// Upper case.
        public var method: String
        /// `/api/v1/orders/{order_id}` or with a verb, `/api/v1/runs/{run_id}:cancel`.
        public var path: String
        /// Of `operations`; or of `calls`, where the host itself serves it for an instance that operates it.
        public var operation: String
        /// Who may call: `anyone`, `user`, `service`, `admin`.
        public var access: String
        /// What it acts on, for access and audit.
        public var resource: String
        /// What it does to it.
        public var action: String
        /// Whose rows it may touch: `none`, `self`, `tenant`, `project:{parameter}` where a path parameter is the project,
        /// or `row:{parameter}` where it is a row of one, which the plugin resolves by theatre.access.v1.Scopes.
        public var scope: String
        /// The least role in that project; empty where the scope is none.
        public var role: String
        /// `change`, `read` or `none`.
        public var audit: String
        /// Rate class: `default`, `login`, `upload`, `provider`, or one that the host's configuration adds. Another is the
        /// fault `http.route_invalid`.
        public var rate: String
        /// Most bytes of a body: 16 MiB, or 1 TiB where it is streamed.
        public var bodyLimit: Int
        /// True where sending it twice is the same as once; false where Idempotency-Key matters.
        public var idempotent: Bool
        /// `json`: the gateway reads the body as the request message. `raw`: the operation is of theatre.http.v1.Handler.
        public var body: String
        /// Full name of the request message.
        public var request: String
        /// Full name of the response message.
        public var response: String
        /// Status of success.
        public var status: Int
        /// Raw routes: header names handed over.
        public var headers: [String]
        /// Longest time for one request, in milliseconds; 0: the operation's default.
        public var timeoutMilliseconds: Int
        /// One line for the API description.
        public var summary: String

        /// True where neither body is held whole: raw, to an operation that streams both ways.
        public var isStreamed: Bool { operation == Self.streamed }
        static let streamed = "theatre.http.v1.Handler/HandleStream"
    }

    /// Events handed to `theatre.events.v1.Consumer/Deliver`.
    public struct Consumption: Sendable, Hashable {
        /// Event types, or prefixes that end in a dot.
        public var types: [String]
        /// Longest time for one event, in milliseconds.
        public var timeoutMilliseconds: Int
        /// Deliveries of one event before it is set aside as a dead letter, 1 to 1,000.
        public var maxAttempts: Int
    }

    /// A queue of jobs, run by `theatre.jobs.v1.Worker/Run`. Times are in milliseconds.
    public struct Queue: Sendable, Hashable {
        /// Unique in the plugin: up to 40 lower-case letters, digits, `-` and `_`, a letter first.
        public var name: String
        /// Jobs of it that run at once on one host, 1 to 1,000.
        public var concurrency: Int
        /// Jobs of it that run at once on all hosts together; 0: no bound.
        public var globalConcurrency: Int
        /// Runs of a job that says nothing itself before it is dead, 1 to 1,000.
        public var maxAttempts: Int
        /// Longest run of a job that says nothing itself, 100 to 86,400,000.
        public var timeoutMilliseconds: Int
        /// How long a job stays leased to a host that is not heard of, 1,000 to 600,000.
        public var leaseMilliseconds: Int
        /// Upper bound of the wait before the second run; it doubles with each further one. 1 to 86,400,000.
        public var backoffMilliseconds: Int
        /// Where it stops to double. At least `backoffMilliseconds`, at most 86,400,000.
        public var backoffMaxMilliseconds: Int
    }
}

extension Manifest {
    /// Reads `plugin.json`.
    ///
    /// - Throws: `ManifestError` for the first fault, with a pointer to it.
    public init(json: Data) throws {
        try self.init(JSONValue(json: json))
    }
}
