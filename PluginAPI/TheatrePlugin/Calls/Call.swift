// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreContracts

/// The call a handler serves. Its task is cancelled when the host no longer wants the answer.
public struct Call: CallScope {
    let served: ServedCall

    /// Who asks, for what, on what authority: decoded at the first use.
    public var context: HostContext { served.context }
    /// The tenant whose data is touched.
    public var tenant: String { context.tenant }
    /// Who asks: a user id, `svc:NAME`, or empty.
    public var principal: String { context.principal }
    /// When the caller gives up, on ``PluginHost/monotonicNanoseconds``; 0 for never.
    public var deadlineNanoseconds: UInt64 { served.deadline }
    /// Stable over attempts; empty where there is none.
    public var idempotencyKey: String { served.key }
    /// 1 for the first.
    public var attempt: UInt32 { served.attempt }
    /// False once nobody waits for the answer. Cheap: long work may ask in a loop.
    public var isWanted: Bool { !served.isCancelled && served.connection.isLive(served.id) }
    /// The host.
    public var host: PluginHost { PluginHost(connection: served.connection) }
    /// Calls made with this scope inherit context, deadline and trace.
    public var origin: CallOrigin { CallOrigin(connection: served.connection, onBehalfOf: served.id) }
}
