// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Sessions and the hashes of their tokens in the database.
struct SessionStore {
    let database: Database

    init(_ scope: some CallScope) { database = Database(scope, feature: "accounts.storage") }

    /// Begins a session at a sign-in, forgets failed ones, and removes sessions of the account that have ended.
    ///
    /// - Parameter proving: what must still hold, and be used up, in the same transaction.
    func begin(
        _ session: SessionRow, forgetting identifier: [UInt8], _ limits: RefreshChain.Limits,
        proving: nonisolated(nonsending) (Transaction) async throws -> Void
    ) async throws {
        let now = session.chain.createdAt
        try await database.write { tx in
            // The row that a ban and a merge write too: whichever comes first, the other knows of it.
            let entered = try await tx.run(
                """
                UPDATE {accounts} SET signed_in_at = ?2 WHERE tenant = :tenant AND id = ?1 AND pending = 0
                    AND merged_into IS NULL AND erased_at IS NULL AND (banned_at IS NULL OR banned_until <= ?2)
                """, session.account, now)
            guard entered.changed == 1 else { throw AccountsError.refused() }
            try await proving(tx)
            for table in [
                "DELETE FROM {tokens} WHERE tenant = :tenant AND session IN (SELECT id FROM {sessions} WHERE ",
                "DELETE FROM {sessions} WHERE (",
            ] {
                try await tx.run(
                    table
                        + "tenant = :tenant AND account = ?1 AND (used_at < ?2 OR created_at < ?3 OR revoked_at < ?2))",
                    session.account, now - limits.idle, now - limits.absolute)
            }
            try await session.insert(into: tx)
            try await tx.run("DELETE FROM {attempts} WHERE tenant = :tenant AND identifier = ?1", identifier)
        }
    }

    /// Whose a session is.
    func owner(of id: String) async throws -> String? {
        try await database.read("SELECT account FROM {sessions} WHERE tenant = :tenant AND id = ?1", id)
            .first?.text("account")
    }

    /// Ends every session of an account; how many.
    nonisolated(nonsending) static func endAll(
        of account: String, at now: Int64, cause: String, _ tx: Transaction
    ) async throws -> Int {
        let rows = try await tx.run(
            "SELECT id FROM {sessions} WHERE tenant = :tenant AND account = ?1 AND revoked_at IS NULL", account)
        try await tx.run(
            "UPDATE {sessions} SET revoked_at = ?2 WHERE tenant = :tenant AND account = ?1 AND revoked_at IS NULL",
            account, now)
        for row in rows { publishEnd(try row.text("id"), of: account, cause: cause, tx) }
        return rows.count
    }

    /// Tells the gateway, among others, that a session, a key or a service no longer counts.
    static func publishEnd(_ id: String, of account: String, cause: String, _ tx: Transaction) {
        tx.publish(
            type: "session.revoked", aggregate: id,
            data: #"{"session_id":"\#(id)","account_id":"\#(account)","cause":"\#(cause)"}"#)
    }

    /// The session a token was given out in; nil for what was never one.
    func session(of token: [UInt8]) async throws -> String? {
        try await database.read("SELECT session FROM {tokens} WHERE tenant = :tenant AND hash = ?1", token)
            .first?.text("session")
    }

    /// A session, ended or not.
    func session(_ id: String) async throws -> SessionRow? {
        try await database.read("SELECT * FROM {sessions} WHERE tenant = :tenant AND id = ?1", id).first
            .map { try SessionRow($0) }
    }

    /// Presents a token and stores what becomes of it, all in one transaction.
    ///
    /// - Parameter version: of the key that made `successor`.
    func present(
        _ token: [UInt8], successor: [UInt8], by version: String, in id: String, at now: Int64,
        _ limits: RefreshChain.Limits
    ) async throws -> (RefreshChain.Outcome, SessionRow)? {
        try await database.write { tx in
            let rows = try await tx.run("SELECT * FROM {sessions} WHERE tenant = :tenant AND id = ?1", id)
            guard let row = rows.first else { return nil }
            var session = try SessionRow(row)
            let outcome = session.chain.present(token, successor: successor, at: now, limits)
            switch outcome {
            case .rotated:
                try await tx.run(
                    """
                    UPDATE {sessions} SET current = ?2, previous = ?3, rotated_at = ?4, used_at = ?4, key_version = ?5
                    WHERE tenant = :tenant AND id = ?1 AND current = ?3 AND revoked_at IS NULL
                    """, expect: 1, id, successor, token, now, version)
                try await tx.run(
                    "INSERT INTO {tokens} (tenant, hash, session) VALUES (:tenant, ?1, ?2)", expect: 1, successor, id)
            case .reused: try await Self.revoke(session, at: now, "refresh_reuse", tx)
            case .repeated, .remade, .refused: break
            }
            return (outcome, session)
        }
    }

    /// The sessions of an account that count, the one used last first; at most 200.
    func sessions(of account: String, at now: Int64, _ limits: RefreshChain.Limits) async throws -> [SessionRow] {
        try await database.read(
            """
            SELECT * FROM {sessions} WHERE tenant = :tenant AND account = ?1 AND revoked_at IS NULL
                AND used_at >= ?2 AND created_at >= ?3
            ORDER BY used_at DESC, id DESC LIMIT 200
            """, account, now - limits.idle, now - limits.absolute
        ).map { try SessionRow($0) }
    }

    /// Ends a session of an account, and answers the route's caller.
    ///
    /// - Parameter missing: thrown where there is no such session that counts; nil to be content with that.
    func end(
        _ id: String, of account: String, at now: Int64, cause: String, orElse missing: PluginError? = nil,
        answer: some Message
    ) async throws {
        try await database.write { tx in
            let rows = try await tx.run(
                "SELECT * FROM {sessions} WHERE tenant = :tenant AND id = ?1 AND account = ?2", id, account)
            var ended = false
            if let row = rows.first {
                var session = try SessionRow(row)
                ended = session.chain.revoke(at: now)
                if ended { try await Self.revoke(session, at: now, cause, tx) }
            }
            if !ended, let missing { throw missing }
            try tx.answer(answer)
        }
    }

    private nonisolated(nonsending) static func revoke(
        _ session: SessionRow, at now: Int64, _ cause: String, _ tx: Transaction
    ) async throws {
        try await tx.run(
            "UPDATE {sessions} SET revoked_at = ?2 WHERE tenant = :tenant AND id = ?1 AND revoked_at IS NULL",
            expect: 1, session.id, now)
        publishEnd(session.id, of: session.account, cause: cause, tx)
    }
}
