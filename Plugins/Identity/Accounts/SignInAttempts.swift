// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import FoundationEssentials
import TheatrePlugin

/// Sign-ins that failed, counted by address whether or not it has an account, and codes of a second factor, by account.
///
/// An attempt counts as failed before its password is checked, so that attempts at once cannot exceed the limit. Where the
/// version of the key that addresses are indexed by is changed, no more than the counts of one window are forgotten.
struct SignInAttempts {
    /// Most of the lapsed counts that one attempt clears away.
    static let cleared: Int64 = 100
    private let database: Database
    private let index: KeyedIndex
    private let tenant: String
    private let allowed: Int64
    private let window: Int64

    init(_ call: Call, _ configuration: AccountsConfiguration) {
        database = Database(call, feature: "accounts.storage")
        index = KeyedIndex(call, storage: "accounts.storage", purpose: "accounts attempts")
        tenant = call.tenant
        allowed = configuration.failuresAllowed
        window = configuration.failuresMinutes * 60_000
    }

    /// What stands for an address: a digest of it could be tried.
    func identifier(of email: EmailAddress) async throws -> [UInt8] {
        Array(try await index.text(of: email.text, tenant: tenant).utf8)
    }

    /// What stands for the second factor of an account, however many challenges it has.
    static func identifier(ofFactorOf account: String) -> [UInt8] { Digest.sha256("factor\n\(account)".utf8) }

    /// Counts an attempt. RESOURCE_EXHAUSTED `accounts.locked` beyond the limit, until the window of the first is over.
    func begin(_ identifier: [UInt8], at now: Int64) async throws {
        let (allowed, window) = (allowed, window)
        let isNew = try await database.write { tx in
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
            return rows.first == nil
        }
        // Whoever adds a row takes more than one away, so that there are not many that have lapsed.
        if isNew { try await clear(before: now - window) }
    }

    /// Takes counts away whose window is over.
    private func clear(before end: Int64) async throws {
        try await database.commit {
            $0.run(
                """
                DELETE FROM {attempts} WHERE tenant = :tenant AND since <= ?1 AND identifier IN
                    (SELECT identifier FROM {attempts} WHERE tenant = :tenant AND since <= ?1 ORDER BY since LIMIT ?2)
                """, end, Self.cleared)
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
