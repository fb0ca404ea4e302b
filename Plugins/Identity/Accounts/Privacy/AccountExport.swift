// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import PersonalExports
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What is held here of an account, for its person. No secret is in it, nor what stands for one.
struct AccountExport: Encodable {
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

    var id: String
    var email: String
    var nickname: String
    var bio: String
    var locale: String
    var timeZone: String
    var createdAt: String
    var secondFactor: Bool
    var identities: [Identity]
    var sessions: [Session]
    var keys: [Key]
    var merges: [Merge]
    /// Older ones of a list are left out.
    var truncated: Bool

    /// Reads all of it, of what there is much of the newest.
    init(_ account: AccountsAccount, _ database: Database) async throws {
        id = account.id
        email = account.email
        nickname = account.nickname
        bio = account.bio
        locale = account.locale
        timeZone = account.timeZone
        createdAt = Self.time(account.createdAt)
        var budget = ExportBudget()
        let rows = { (sql: String) async throws in try await database.read(sql, account.id) }
        secondFactor = try await !rows(
            "SELECT account FROM {factors} WHERE tenant = :tenant AND account = ?1 AND confirmed_at IS NOT NULL"
        ).isEmpty
        let encoder = Self.encoder
        let identities = try await rows(IdentityStore.listing).map { row in
            let provider = try row.text("provider")
            return Identity(
                provider: provider, subject: provider == "device" ? nil : try row.text("subject"),
                createdAt: Self.time(try row.int("created_at")))
        }
        let sessions = try await rows(
            "SELECT * FROM {sessions} WHERE tenant = :tenant AND account = ?1 ORDER BY created_at DESC, id DESC LIMIT 500"
        ).map { row in
            Session(
                id: try row.text("id"), createdAt: Self.time(try row.int("created_at")),
                usedAt: Self.time(try row.int("used_at")), endedAt: try row.optionalInt("revoked_at").map(Self.time))
        }
        let keys = try await rows(
            "SELECT * FROM {keys} WHERE tenant = :tenant AND account = ?1 ORDER BY created_at DESC, id DESC LIMIT 500"
        ).map { row in
            Key(
                id: try row.text("id"), name: try row.text("name"), scopes: try row.text("scopes"),
                createdAt: Self.time(try row.int("created_at")), expiresAt: Self.time(try row.int("expires_at")))
        }
        let merges = try await rows(
            """
            SELECT * FROM {merges} WHERE tenant = :tenant AND (source = ?1 OR target = ?1)
            ORDER BY merged_at DESC, id DESC LIMIT 500
            """
        ).map { row in
            Merge(
                id: try row.text("id"), from: try row.text("source"), into: try row.text("target"),
                mergedAt: Self.time(try row.int("merged_at")))
        }
        self.identities = try budget.fitting(identities, by: encoder)
        self.merges = try budget.fitting(merges, by: encoder)
        self.keys = try budget.fitting(keys, by: encoder)
        self.sessions = try budget.fitting(sessions, by: encoder)
        truncated = budget.isTruncated || [sessions.count, keys.count, merges.count].contains(500)
    }

    /// As JSON, with names as everywhere.
    func json() throws -> String {
        String(decoding: try Self.encoder.encode(self), as: UTF8.self)
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return encoder
    }

    private static func time(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000).ISO8601Format()
    }
}
