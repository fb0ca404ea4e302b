// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct AccountsConfiguration: Decodable, Sendable {
    var issuer: String
    var audience: String
    var accessSeconds: Int64
    var refreshIdleDays: Int64
    var refreshAbsoluteDays: Int64
    var refreshGraceSeconds: Int64
    var failuresAllowed: Int64
    var failuresMinutes: Int64
    var administrators: [String]

    enum CodingKeys: String, CodingKey {
        case issuer, audience, administrators
        case accessSeconds = "access_seconds"
        case refreshIdleDays = "refresh_idle_days"
        case refreshAbsoluteDays = "refresh_absolute_days"
        case refreshGraceSeconds = "refresh_grace_seconds"
        case failuresAllowed = "failures_allowed"
        case failuresMinutes = "failures_minutes"
    }

    /// What the tokens of an account say.
    func roles(of account: String) -> [String] { administrators.contains(account) ? ["admin", "user"] : ["user"] }

    /// How long sessions and their tokens count.
    var limits: RefreshChain.Limits {
        RefreshChain.Limits(
            grace: refreshGraceSeconds * 1000, idle: refreshIdleDays * 86_400_000,
            absolute: refreshAbsoluteDays * 86_400_000)
    }
}
