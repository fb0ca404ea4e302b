// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// An instance that takes events.
public struct EventConsumer: Sendable, Hashable {
    /// Name in `plugins.d`.
    public var instance: String
    /// Types, or prefixes ending in a dot, as in the manifest's `events.consume`.
    public var types: [String]

    /// A consumer.
    public init(instance: String, types: [String]) {
        self.instance = instance
        self.types = types
    }

    /// The operation that takes them.
    static let operation = "theatre.events.v1.Consumer/Deliver"
    /// Its cursor's name.
    var cursor: String { "\(instance)/\(Self.operation)" }
}
