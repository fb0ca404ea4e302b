// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import FoundationEssentials
import TheatrePlugin

/// Sign-ins that failed, counted by address whether or not it has an account.
///
/// An attempt counts as failed before its password is checked, so that attempts at once cannot exceed the limit.
struct SignInAttempts {
    private let database: Database
    private let allowed: Int64
    private let window: Int64

    init(_ scope: some CallScope, _ configuration: AccountsConfiguration) {
        database = Database(scope, feature: "accounts.storage")
        allowed = configuration.failuresAllowed
        window = configuration.failuresMinutes * 60_000
    }

    /// What stands for an address.
    static func identifier(_ email: EmailAddress) -> [UInt8] { Digest.sha256("attempts\n\(email.text)".utf8) }

    /// Counts an attempt. RESOURCE_EXHAUSTED `accounts.locked` beyond the limit, until the window of the first is over.
    func begin(_ identifier: [UInt8], at now: Int64) async throws {
        let (allowed, window) = (allowed, window)
        try await database.write { tx in
            let rows = try await tx.run(
                "SELECT failures, since FROM {attempts} WHERE tenant = :tenant AND identifier = ?1", identifier)
            let since = try rows.first?.int("since") ?? now
            let isOver = now - since >= window
            let failures = isOver ? 0 : try rows.first?.int("failures") ?? 0
            guard failures < allowed else { throw AccountsError.locked(milliseconds: since + window - now) }
            try await tx.run(
                """
                INSERT INTO {attempts} (tenant, identifier, failures, since) VALUES (:tenant, ?1, ?2, ?3)
                ON CONFLICT (tenant, identifier) DO UPDATE SET failures = ?2, since = ?3
                """, expect: 1, identifier, failures + 1, isOver ? now : since)
        }
    }

    /// Takes an attempt back that was not decided.
    func undo(_ identifier: [UInt8]) async throws {
        try await database.commit {
            $0.run(
                """
                UPDATE {attempts} SET failures = CASE WHEN failures > 0 THEN failures - 1 ELSE 0 END
                WHERE tenant = :tenant AND identifier = ?1
                """,
                identifier)
        }
    }
}
