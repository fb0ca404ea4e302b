// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PersonalExports
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What is held here of an account, for its person. No secret is in it, nor what stands for one.
struct AccountExport {
    struct Identity: Encodable {
        var provider: String
        /// As the provider names the person; left out for a device, where it stands for a secret.
        var subject: String?
        var createdAt: String
    }

    struct Session: Encodable {
        var id: String
        var createdAt: String
        var usedAt: String
        var endedAt: String?
    }

    struct Key: Encodable {
        var id: String
        var name: String
        var scopes: String
        var createdAt: String
        var expiresAt: String
    }

    struct Merge: Encodable {
        var id: String
        var from: String
        var into: String
        var mergedAt: String
    }

    /// What there is once.
    struct Person: Encodable {
        var id: String
        var email: String
        var nickname: String
        var bio: String
        var locale: String
        var timeZone: String
        var createdAt: String
        var secondFactor: Bool
    }

    let account: AccountsAccount
    let database: Database

    /// A page of it: a JSON object, and where the next one goes on.
    func page(after cursor: String) async throws -> PersonalExport.Page {
        let person = cursor.isEmpty ? try await person() : nil
        return try await PersonalExport(identities, sessions, keys, merges).page(after: cursor, head: person)
    }

    private func person() async throws -> Person {
        let factors = try await database.read(
            "SELECT account FROM {factors} WHERE tenant = :tenant AND account = ?1 AND confirmed_at IS NOT NULL",
            account.id)
        return Person(
            id: account.id, email: account.email, nickname: account.nickname, bio: account.bio,
            locale: account.locale, timeZone: account.timeZone, createdAt: PersonalExport.time(account.createdAt),
            secondFactor: !factors.isEmpty)
    }

    /// They are read whole, as everywhere, for their place is no key of the table: a subject may be in no cursor.
    private var identities: ExportList {
        let (database, account) = (database, account.id)
        return ExportList("identities", at: [.number, .text]) { after in
            let rows = try await database.read(IdentityStore.listing, account).map { row in
                let (provider, shown) = (try row.text("provider"), try IdentityStore.shown(row))
                let identity = Identity(
                    provider: provider, subject: provider == "device" ? nil : try row.text("subject"),
                    createdAt: PersonalExport.time(shown.createdAt))
                return (identity: identity, at: shown.createdAt, id: shown.id)
            }
            let start = after.isEmpty ? (Int64.min, "") : (after[0].integer, after[1].text)
            let left = rows.filter { ($0.at, $0.id) > start }.sorted { ($0.at, $0.id) < ($1.at, $1.id) }
            let items = left.map { ExportList.Item($0.identity, at: [$0.at.sqlValue, $0.id.sqlValue]) }
            return ExportList.Batch(items, isLast: true)
        }
    }

    private var sessions: ExportList {
        list(
            "sessions", by: "created_at",
            "SELECT id, created_at, used_at, revoked_at FROM {sessions} WHERE tenant = :tenant AND account = ?1"
        ) { row in
            Session(
                id: try row.text("id"), createdAt: PersonalExport.time(try row.int("created_at")),
                usedAt: PersonalExport.time(try row.int("used_at")),
                endedAt: try row.optionalInt("revoked_at").map(PersonalExport.time))
        }
    }

    private var keys: ExportList {
        list(
            "keys", by: "created_at",
            "SELECT id, name, scopes, created_at, expires_at FROM {keys} WHERE tenant = :tenant AND account = ?1"
        ) { row in
            Key(
                id: try row.text("id"), name: try row.text("name"), scopes: try row.text("scopes"),
                createdAt: PersonalExport.time(try row.int("created_at")),
                expiresAt: PersonalExport.time(try row.int("expires_at")))
        }
    }

    private var merges: ExportList {
        list(
            "merges", by: "merged_at",
            """
            SELECT id, source, target, merged_at FROM {merges}
            WHERE tenant = :tenant AND (source = ?1 OR target = ?1)
            """
        ) { row in
            Merge(
                id: try row.text("id"), from: try row.text("source"), into: try row.text("target"),
                mergedAt: PersonalExport.time(try row.int("merged_at")))
        }
    }

    /// The newest first.
    private func list(
        _ name: String, by time: String, _ select: String,
        show: @escaping @Sendable (Row) throws -> any Encodable & Sendable
    ) -> ExportList {
        let (database, account) = (database, account.id)
        return ExportList(
            name, by: Keyset(.descending(time), .descending("id")), numbers: [time],
            page: { keyset, cursor in
                try await database.page(select, by: keyset, after: cursor, limit: 100, account)
            }, show: show)
    }
}
