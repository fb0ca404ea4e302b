// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Where an instance stands, for tables, `/readyz` and metrics.
public struct InstanceStatus: Sendable, Hashable {
    /// Name in `plugins.d`.
    public var instance: String
    /// Name of the plugin.
    public var plugin: String
    /// Of the plugin.
    public var version: String
    /// `inproc`, `isolated` or `remote`.
    public var mode: String
    /// Which load of it; 0 where it was never loaded.
    public var generation: UInt32
    /// Where it stands.
    public var state: InstanceState
    /// Contracts it provides.
    public var capabilities: [String]
    /// SHA-256 of the running library, hex.
    public var digest: String
    /// The host stops without it.
    public var isCritical: Bool
    /// Why it is disabled, where there is more to say than that it is.
    public var note = ""
    /// What is to be known of where it runs, by name; empty in the host's own process.
    public var facts: [String: String] = [:]

    /// A status.
    public init(
        instance: String, plugin: String, version: String, mode: String, generation: UInt32, state: InstanceState,
        capabilities: [String], digest: String, isCritical: Bool
    ) {
        self.instance = instance
        self.plugin = plugin
        self.version = version
        self.mode = mode
        self.generation = generation
        self.state = state
        self.capabilities = capabilities
        self.digest = digest
        self.isCritical = isCritical
    }

    /// Why it does not serve; nil where it does.
    public var reason: String? {
        switch state {
        case .quarantined(let error): error.description
        case .disabled: note.isEmpty ? "It is disabled in plugins.d." : note
        default: nil
        }
    }
}
