// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOHTTP1
internal import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// Whose somebody is who brings no token: the tenant of the host name that he came by.
struct HostTenants: Sendable {
    private let byHost: [String: Stranger]
    private let closed: Set<String>

    /// Nobody yet, of a tenant.
    struct Stranger: Sendable {
        let tenant: String
        /// Its fields of `theatre.host.v1.Context`, encoded.
        let contextFields: [UInt8]

        init(_ tenant: String) {
            self.tenant = tenant
            contextFields = HostContext.with { $0.tenant = tenant }.bytes
        }
    }

    /// Of the tenant that there is where nothing is said.
    static let ofDefault = Stranger("default")

    init(_ tenants: [String: GatewayConfiguration.Tenant]) {
        byHost = tenants.reduce(into: [:]) { byHost, tenant in
            let stranger = Stranger(tenant.key)
            for host in tenant.value.hosts { byHost[host] = stranger }
        }
        closed = Set(tenants.filter(\.value.isClosed).keys)
    }

    /// Whether the operator has shut it.
    func isClosed(_ tenant: String) -> Bool { !closed.isEmpty && closed.contains(tenant) }

    /// Whose somebody without a token is.
    func stranger(_ head: RequestHead) -> Stranger {
        guard !byHost.isEmpty else { return Self.ofDefault }
        var host = ""
        head.forEachField { name, value in
            if name.isField("host") { host = String(decoding: value, as: UTF8.self) }
        }
        return byHost[Self.name(host)] ?? Self.ofDefault
    }

    /// Without port, and in lower case.
    private static func name(_ host: String) -> String {
        let bytes = host.utf8
        let end = host.hasPrefix("[") ? bytes.firstIndex(of: UInt8(ascii: "]")).map(bytes.index(after:)) : nil
        let name = end.map { host[..<$0] } ?? host[..<(bytes.firstIndex(of: UInt8(ascii: ":")) ?? host.endIndex)]
        return name.lowercased()
    }
}

extension ErrorResponse {
    /// The tenant was shut by the operator.
    static var tenantClosed: ErrorResponse {
        ErrorResponse(.forbidden, "auth.tenant_closed", "The operator has closed this tenant.")
    }
}
