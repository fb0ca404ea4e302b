// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// All that an audit row says of a read, but when it was and which request asked: reads alike may stand in one row.
public struct AuditedRead: Sendable, Hashable {
    /// Whose log.
    public var tenant: String
    /// Who reads, or empty.
    public var principal: String
    /// METHOD and template.
    public var route: String
    /// Where, or empty.
    public var project: String
    /// Why he may.
    public var decision: String
    /// The prefix of his address, or empty.
    public var network: String

    /// A read.
    public init(
        tenant: String, principal: String, route: String, project: String, decision: String, network: String
    ) {
        (self.tenant, self.principal, self.route) = (tenant, principal, route)
        (self.project, self.decision, self.network) = (project, decision, network)
    }
}
