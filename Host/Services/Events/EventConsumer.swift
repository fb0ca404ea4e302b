// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// An instance that takes events, as its manifest's `consumes` says.
public struct EventConsumer: Sendable, Hashable {
    /// An entry of `consumes`.
    public struct Subscription: Sendable, Hashable {
        /// Types, or prefixes ending in a dot.
        public var types: [String]
        /// Longest time for one event, in milliseconds.
        public var timeout: Int
        /// Deliveries of one event before it is set aside.
        public var maxAttempts: Int

        /// A subscription with the defaults of a manifest.
        public init(types: [String], timeout: Int = 60_000, maxAttempts: Int = 20) {
            self.types = types
            self.timeout = timeout
            self.maxAttempts = maxAttempts
        }
    }

    /// Name in `plugins.d`.
    public var instance: String
    /// What it takes; the first that an event meets counts.
    public var subscriptions: [Subscription]
    /// Events of different aggregates that it gets at once.
    public var concurrency: Int

    /// A consumer.
    public init(instance: String, subscriptions: [Subscription], concurrency: Int = 16) {
        self.instance = instance
        self.subscriptions = subscriptions
        self.concurrency = concurrency
    }

    /// A consumer of one subscription.
    public init(instance: String, types: [String]) {
        self.init(instance: instance, subscriptions: [Subscription(types: types)])
    }

    /// The operation that takes them.
    static let operation = "theatre.events.v1.Consumer/Deliver"
    /// Its cursor's name.
    var cursor: String { "\(instance)/\(Self.operation)" }
    /// All it takes.
    var types: [String] { subscriptions.flatMap(\.types) }

    /// The entry that an event of this type meets.
    func subscription(for type: String) -> Subscription {
        subscriptions.first { subscription in
            subscription.types.isEmpty
                || subscription.types.contains { $0.hasSuffix(".") ? type.hasPrefix($0) : type == $0 }
        } ?? Subscription(types: [])
    }
}
