// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Accounts and their identities in the database.
struct AccountsStore {
    /// Of the identities that a registration makes.
    static let provider = "password"
    /// A registration that has not been finished after so many milliseconds may be taken over.
    static let registrationMilliseconds: Int64 = 30_000

    let database: Database
    let vault: PersonalVault

    init(_ scope: some CallScope) {
        database = Database(scope, feature: "accounts.storage")
        vault = PersonalVault(scope)
    }

    func migrate() async throws { try await database.migrate(Self.migrations) }

    func account(_ id: String) async throws -> AccountsAccount? {
        let rows = try await database.read(
            """
            SELECT * FROM {accounts} WHERE tenant = :tenant AND id = ?1 AND pending = 0 AND merged_into IS NULL
                AND erased_at IS NULL
            """, id)
        guard let row = rows.first else { return nil }
        return try await vault.account(row)
    }

    /// The account, or the one that took it over.
    func merged(_ id: String) async throws -> AccountsAccount? {
        var id = id
        // Far more than a person has; whatever leads in a circle ends.
        for _ in 0..<16 {
            if let account = try await account(id) { return account }
            let rows = try await database.read(
                "SELECT merged_into FROM {accounts} WHERE tenant = :tenant AND id = ?1 AND pending = 0", id)
            guard let next = try rows.first?.optionalText("merged_into") else { return nil }
            id = next
        }
        return nil
    }

    /// Every account that this one took over, by way of others too.
    func mergedInto(_ id: String) async throws -> [AccountsAccount] {
        var (ids, seen, found) = ([id], Set([id]), [AccountsAccount]())
        while let next = ids.popLast() {
            let rows = try await database.read(
                "SELECT * FROM {accounts} WHERE tenant = :tenant AND merged_into = ?1 AND erased_at IS NULL ORDER BY id",
                next)
            for row in rows {
                // Whatever leads in a circle ends.
                guard seen.insert(try row.text("id")).inserted else { continue }
                let account = try await vault.account(row)
                found.append(account)
                ids.append(account.id)
            }
        }
        return found
    }

    /// Whose an identity is.
    func account(provider: String, subject: String) async throws -> AccountsAccount? {
        let rows = try await database.read(
            """
            SELECT accounts.* FROM {identities} AS identities JOIN {accounts} AS accounts
                ON accounts.tenant = identities.tenant AND accounts.id = identities.account
            WHERE identities.tenant = :tenant AND identities.provider = ?1 AND identities.subject = ?2
                AND accounts.pending = 0 AND accounts.merged_into IS NULL AND accounts.erased_at IS NULL
            """, provider, subject)
        guard let row = rows.first else { return nil }
        return try await vault.account(row)
    }

    /// Holds an address for an account that is being made. Nothing else of it is stored yet.
    ///
    /// Nobody else can store a credential for the address meanwhile, so that no one's password takes the place of
    /// another's.
    ///
    /// - Parameter index: of the address.
    func reserve(_ account: AccountsAccount, index: String) async throws {
        try await database.write { tx in
            let found = try await tx.run(
                "SELECT pending, created_at FROM {accounts} WHERE tenant = :tenant AND email IN (?1, ?2)", index,
                account.email)
            if let row = found.first {
                guard try row.bool("pending") else { throw AccountsError.exists() }
                guard try account.createdAt - row.int("created_at") >= Self.registrationMilliseconds else {
                    throw AccountsError.inProgress()
                }
                try await tx.run(
                    "DELETE FROM {accounts} WHERE tenant = :tenant AND email IN (?1, ?2) AND pending = 1", index,
                    account.email)
            }
            try await tx.run(
                """
                INSERT INTO {accounts} (tenant, id, email, nickname, locale, pending, created_at)
                VALUES (:tenant, ?1, ?2, '', ?3, 1, ?4)
                """, expect: 1, account.id, index, account.locale, account.createdAt)
        }
    }

    /// Lets an address go whose account was not finished.
    func release(_ account: AccountsAccount) async throws {
        try await database.commit {
            $0.run("DELETE FROM {accounts} WHERE tenant = :tenant AND id = ?1 AND pending = 1", account.id)
        }
    }

    /// Makes a reserved account one that counts, with its first identity and session.
    func finish(
        _ account: AccountsAccount, provider: String, subject: String, _ session: SessionRow
    ) async throws {
        let now = session.chain.createdAt
        let sealed = try await vault.seal(account)
        try await database.commit {
            $0.run(
                """
                UPDATE {accounts} SET pending = 0, sealed_address = ?2, sealed_profile = ?3
                WHERE tenant = :tenant AND id = ?1 AND pending = 1
                """, expect: 1, account.id, sealed.address, sealed.profile)
            $0.run(
                """
                INSERT INTO {identities} (tenant, provider, subject, account, created_at)
                VALUES (:tenant, ?1, ?2, ?3, ?4)
                """, expect: 1, provider, subject, account.id, now)
            session.insert(into: &$0)
            $0.publish(type: "account.registered", aggregate: account.id, data: #"{"account_id":"\#(account.id)"}"#)
        }
    }

    /// Changes what an account says of itself.
    func update(_ account: AccountsAccount) async throws {
        let sealed = try await vault.seal(account)
        try await database.commit {
            $0.run(
                """
                UPDATE {accounts} SET nickname = '', bio = '', sealed_profile = ?2, locale = ?3, time_zone = ?4
                WHERE tenant = :tenant AND id = ?1 AND pending = 0 AND erased_at IS NULL
                """, expect: 1, account.id, sealed.profile, account.locale, account.timeZone)
            $0.publish(type: "account.changed", aggregate: account.id, data: #"{"account_id":"\#(account.id)"}"#)
        }
    }
}
