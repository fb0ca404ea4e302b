// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What the engine takes from outside, so that it needs neither a clock nor a source of chance of its own.
struct EngineEnvironment: Sendable {
    /// Milliseconds since 1970.
    var now: @Sendable () -> Int64
    /// A new id with this prefix for this time.
    var newID: @Sendable (String, Int64) -> String
    /// SHA-256.
    var digest: @Sendable ([UInt8]) -> [UInt8]
    /// What an operator should know.
    var warn: @Sendable (_ message: String, _ fields: [String: String]) -> Void
}

/// How the engine behaves.
struct EngineOptions: Sendable {
    var server: ServerOptions
    var pool = PoolOptions()
    /// Servers that only read, for reads that may be behind.
    var replicas: [ServerAddress] = []
    /// What schemas and roles begin with.
    var prefix = "theatre"
    /// Whether each namespace has a role of its own.
    var roles = RolePolicy.whereAllowed
    var transactionMilliseconds = 2000
    /// How long a stream's reader may stand still.
    var streamStallMilliseconds = 60_000
    /// How often the log and the queues are looked at where no notice comes; nil: as suits whether any do.
    var pollMilliseconds: Int?
    var answersRetentionDays = 7
    /// Whether a statement on tenants' tables must say whose rows it means.
    var checksTenants = false
    /// Bytes of rows in one answer; a unary message holds a little more.
    var answerBytes = 1_000_000

    enum RolePolicy: String, Sendable {
        /// Where the user may make them; otherwise without, which is said.
        case whereAllowed = "auto"
        /// Without them it does not start.
        case required
        case never
    }
}
