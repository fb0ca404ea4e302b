// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A plugin: one value per instance, made when the host loads it and alive until it is drained.
///
/// `init` opens nothing; ``activate()`` opens what is needed and may call the host. Handlers run concurrently.
public protocol Plugin: Sendable {
    /// The plugin's configuration: the JSON that the manifest's schema accepted, defaults filled in.
    associatedtype Configuration: Decodable & Sendable = NoConfiguration

    /// The handlers, by operation: the generated `xOperations` of each contract provided, added up.
    static var operations: [Operation<Self>] { get }

    /// Makes an instance. Opens nothing; a thrown error refuses the configuration.
    init(_ host: PluginHost, _ configuration: Configuration) throws

    /// Opens what the instance needs. Calls come once it has returned.
    func activate() async throws

    /// Proves that the instance can do its work, and changes nothing.
    func selfTest() async throws

    /// New calls no longer come; those being served may finish.
    func deactivate() async
}

extension Plugin {
    /// Opens nothing.
    public func activate() async throws {}

    /// Proves nothing beyond a successful activation.
    public func selfTest() async throws {}

    /// Closes nothing.
    public func deactivate() async {}
}

/// The configuration of a plugin that has none.
public struct NoConfiguration: Codable, Sendable {
    /// No keys.
    public init() {}
}
