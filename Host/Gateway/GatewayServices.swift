// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What the gateway asks of the host beside calls of plugins. Closures come on event loops and must not block.
public struct GatewayServices: Sendable {
    /// Verifies bearer tokens; nil refuses every token.
    public var tokens: (any TokenVerifier)?
    /// True once the host serves: /readyz.
    public var isReady: @Sendable () -> Bool = { true }
    /// Metrics of the rest of the host in Prometheus text, put after the gateway's own.
    public var metrics: @Sendable () -> String = { "" }
    /// The API description, JSON: /openapi.json.
    public var openAPI: @Sendable (GatewayTable) -> [UInt8] = { _ in Array(#"{"openapi":"3.1.0"}"#.utf8) }

    /// Nothing but probes.
    public init() {}
}
