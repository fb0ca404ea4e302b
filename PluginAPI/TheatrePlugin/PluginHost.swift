// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
public import TheatreContracts

/// The host, as a plugin sees it: identity, clock, log. Calls made with it as scope have no tenant and no principal.
public struct PluginHost: CallScope {
    let connection: HostConnection

    /// The instance's name in `plugins.d`, unique in the host.
    public var instance: String { connection.instance }
    /// Counts the loads of this instance, from 1.
    public var generation: UInt32 { connection.generation }
    /// The deployment.
    public var environment: HostEnvironment { connection.environment }
    /// Milliseconds since 1970.
    public var now: Int64 { Int64(clamping: connection.now(THEATRE_CLOCK_WALL) / 1_000_000) }
    /// Only differences mean anything; deadlines are on this clock.
    public var monotonicNanoseconds: UInt64 { connection.now(THEATRE_CLOCK_MONOTONIC) }
    /// The log; lines carry instance and generation.
    public var log: PluginLog { PluginLog(connection: connection) }
    /// Calls on behalf of nobody.
    public var origin: CallOrigin { CallOrigin(connection: connection, onBehalfOf: 0) }
}
