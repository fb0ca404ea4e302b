// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Runtime

/// An audit row that no commit carries: a refusal or a read.
public struct AuditRecord: Sendable, Hashable {
    /// Milliseconds since 1970.
    public var at: Int64
    /// The request's context, encoded theatre.host.v1.Context.
    public var context: [UInt8]
    /// `refused` or `read`.
    public var outcome: String
    /// Why, a reason code; empty for a read.
    public var reason: String
    /// How many alike it stands for.
    public var count: Int
    /// What it has in common with others, where those may be counted in one row.
    public var read: AuditedRead?
}
