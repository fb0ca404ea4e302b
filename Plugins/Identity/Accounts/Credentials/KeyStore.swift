// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Keys of programs that act as a person, as digests.
struct KeyStore {
    /// What every key begins with.
    static let prefix = "thk_"
    let database: Database

    init(_ scope: some CallScope) { database = Database(scope, feature: "accounts.storage") }

    static func hash(_ key: String) -> [UInt8] { Digest.sha256("theatre.key.v1\n\(key)".utf8) }

    func add(_ key: AccountsApiKey, of account: String, hash: [UInt8]) async throws {
        try await database.write { tx in
            try await IdentityStore.lock(account, tx)
            try await tx.run(
                """
                INSERT INTO {keys} (tenant, id, account, name, scopes, hash, created_at, expires_at)
                VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7)
                """, expect: 1, key.id, account, key.name, key.scopes.joined(separator: " "), hash, key.createdAt,
                key.expiresAt)
            tx.publish(
                type: "account.key_created", aggregate: account,
                data: #"{"account_id":"\#(account)","key_id":"\#(key.id)"}"#)
        }
    }

    /// Those that count, newest first; at most 200.
    func keys(of account: String, at now: Int64) async throws -> [AccountsApiKey] {
        try await database.read(
            """
            SELECT * FROM {keys} WHERE tenant = :tenant AND account = ?1 AND revoked_at IS NULL AND expires_at > ?2
            ORDER BY created_at DESC, id DESC LIMIT 200
            """, account, now
        ).map { try Self.key($0) }
    }

    /// Whom a key speaks for; nil where it does not count, or its account does not.
    func holder(_ hash: [UInt8], at now: Int64) async throws -> AccountsKeyHolder? {
        try await database.read(
            """
            SELECT keys.* FROM {keys} AS keys JOIN {accounts} AS accounts
                ON accounts.tenant = keys.tenant AND accounts.id = keys.account
            WHERE keys.tenant = :tenant AND keys.hash = ?1 AND keys.revoked_at IS NULL AND keys.expires_at > ?2
                AND accounts.pending = 0 AND accounts.merged_into IS NULL AND accounts.erased_at IS NULL
                AND (accounts.banned_at IS NULL OR accounts.banned_until <= ?2)
            """, hash, now
        ).first.map { row in
            let key = try Self.key(row)
            var holder = AccountsKeyHolder()
            holder.principal = try row.text("account")
            holder.keyID = key.id
            holder.scopes = key.scopes
            holder.expiresAt = key.expiresAt
            return holder
        }
    }

    /// Ends a key, and answers.
    func end(_ id: String, of account: String, at now: Int64, answer: some Message) async throws {
        try await database.write { tx in
            let ended = try await tx.run(
                """
                UPDATE {keys} SET revoked_at = ?3
                WHERE tenant = :tenant AND id = ?1 AND account = ?2 AND revoked_at IS NULL
                """, id, account, now)
            guard ended.changed == 1 else { throw AccountsError.noKeyOfYours() }
            SessionStore.publishEnd(id, of: account, cause: "key_revoked", tx)
            try tx.answer(answer)
        }
    }

    /// Ends every key of an account; how many.
    nonisolated(nonsending) static func endAll(
        of account: String, at now: Int64, cause: String, _ tx: Transaction
    ) async throws -> Int {
        let rows = try await tx.run(
            "SELECT id FROM {keys} WHERE tenant = :tenant AND account = ?1 AND revoked_at IS NULL", account)
        try await tx.run(
            "UPDATE {keys} SET revoked_at = ?2 WHERE tenant = :tenant AND account = ?1 AND revoked_at IS NULL",
            account, now)
        for row in rows { SessionStore.publishEnd(try row.text("id"), of: account, cause: cause, tx) }
        return rows.count
    }

    private static func key(_ row: Row) throws -> AccountsApiKey {
        var key = AccountsApiKey()
        key.id = try row.text("id")
        key.name = try row.text("name")
        key.scopes = try row.text("scopes").split(separator: " ").map(String.init)
        key.createdAt = try row.int("created_at")
        key.expiresAt = try row.int("expires_at")
        return key
    }
}
