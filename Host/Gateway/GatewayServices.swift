// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What the gateway asks of the host beside calls of plugins. Closures come on event loops and must not block.
public struct GatewayServices: Sendable {
    /// Verifies bearer tokens; nil refuses every token.
    public var tokens: (any TokenVerifier)?
    /// Keeps answers for idempotency keys; nil calls the plugin each time.
    public var answers: (any AnswerStore)?
    /// The log behind realtime streams; nil serves none.
    public var events: (any EventFeed)?
    /// Takes audit rows of refusals and reads, on any thread; nil drops them.
    public var audit: (@Sendable (AuditRecord) -> Void)?
    /// The host's clock, milliseconds since 1970: by it tokens lapse.
    public var now: @Sendable () -> Int64 = { wallMilliseconds() }
    /// True once the host serves: /readyz.
    public var isReady: @Sendable () -> Bool = { true }
    /// Why a host that serves is not ready all the same, for /readyz; empty where it is.
    public var impediment: @Sendable () -> String = { "" }
    /// Metrics of the rest of the host in Prometheus text, put after the gateway's own.
    public var metrics: @Sendable () -> String = { "" }

    /// Nothing but probes.
    public init() {}
}
