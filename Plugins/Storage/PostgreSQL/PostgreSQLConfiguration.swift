// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatrePlugin

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct PostgreSQLConfiguration: Decodable, Sendable {
    /// Each `host`, `host:port`, `[address]:port` or the folder of a socket.
    var hosts: [String]
    var port: Int
    var database: String
    var user: String
    var sslMode: String
    var authority: String
    var poolSize: Int
    var poolWaitMilliseconds: Int
    var connectMilliseconds: Int
    var lifetimeSeconds: Int
    var preparedStatements: String
    var replicas: [String]
    var schemaPrefix: String
    var roles: String
    var transactionMilliseconds: Int
    var answersRetentionDays: Int
    /// `refuse` or `off`.
    var tenantCheck: String

    enum CodingKeys: String, CodingKey {
        case hosts, port, database, user, replicas, roles
        case sslMode = "sslmode"
        case authority = "ca_file"
        case poolSize = "pool_size"
        case poolWaitMilliseconds = "pool_wait_ms"
        case connectMilliseconds = "connect_timeout_ms"
        case lifetimeSeconds = "connection_lifetime_s"
        case preparedStatements = "prepared_statements"
        case schemaPrefix = "schema_prefix"
        case transactionMilliseconds = "transaction_timeout_ms"
        case answersRetentionDays = "answers_retention_days"
        case tenantCheck = "tenant_check"
    }

    /// The engine's options; INVALID_ARGUMENT `postgresql.bad_host` for a host that is none.
    func options(password: String) throws -> EngineOptions {
        var server = ServerOptions(
            addresses: try addresses(hosts, "hosts"), database: database, user: user, password: password)
        server.sslMode = sslMode
        server.authority = authority
        server.prepares = preparedStatements == "on"
        server.connectMilliseconds = connectMilliseconds
        var options = EngineOptions(server: server)
        options.pool = PoolOptions(
            size: poolSize, waitMilliseconds: poolWaitMilliseconds, lifetimeMilliseconds: lifetimeSeconds * 1000)
        options.replicas = try addresses(replicas, "replicas")
        options.prefix = schemaPrefix
        options.roles = EngineOptions.RolePolicy(rawValue: roles) ?? .whereAllowed
        options.transactionMilliseconds = transactionMilliseconds
        options.answersRetentionDays = answersRetentionDays
        options.checksTenants = tenantCheck == "refuse"
        return options
    }

    private func addresses(_ texts: [String], _ key: String) throws -> [ServerAddress] {
        try texts.enumerated().map { index, text in
            guard let address = ServerAddress(text, port: port) else {
                throw PluginError.invalid(
                    "/\(key)/\(index)", "postgresql.bad_host",
                    "\"\(text.prefix(100))\" is no server; write host, host:port, [address]:port or a socket's folder.")
            }
            return address
        }
    }
}
