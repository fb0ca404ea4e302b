// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Services that get tokens of their own, and the digests of their secrets.
struct ClientStore {
    static let prefix = "ths_"
    let database: Database

    init(_ scope: some CallScope) { database = Database(scope, feature: "accounts.storage") }

    static func hash(_ secret: String) -> [UInt8] { Digest.sha256("theatre.client.v1\n\(secret)".utf8) }

    /// A service whose tokens belong to `session`.
    struct Stored: Sendable {
        let id: String
        let session: String
        let scopes: [String]
        let hash: [UInt8]
    }

    /// Adds a service, also in place of one of its name that was ended.
    func add(_ client: AccountsServiceClient, session: String, hash: [UInt8]) async throws {
        try await database.write { tx in
            let stored = try await tx.run(
                """
                INSERT INTO {clients} (tenant, id, session, scopes, hash, created_at)
                VALUES (:tenant, ?1, ?2, ?3, ?4, ?5)
                ON CONFLICT (tenant, id) DO UPDATE
                    SET session = ?2, scopes = ?3, hash = ?4, created_at = ?5, revoked_at = NULL
                    WHERE {clients}.revoked_at IS NOT NULL
                """, client.clientID, session, client.scopes.joined(separator: " "), hash, client.createdAt)
            guard stored.changed == 1 else { throw AccountsError.clientExists() }
            tx.publish(
                type: "account.client_created", aggregate: client.clientID,
                data: #"{"client_id":"\#(client.clientID)"}"#)
        }
    }

    func clients() async throws -> [AccountsServiceClient] {
        try await database.read(
            "SELECT * FROM {clients} WHERE tenant = :tenant AND revoked_at IS NULL ORDER BY id LIMIT 1000"
        ).map { row in
            var client = AccountsServiceClient()
            client.clientID = try row.text("id")
            client.scopes = try row.text("scopes").split(separator: " ").map(String.init)
            client.createdAt = try row.int("created_at")
            return client
        }
    }

    func client(_ id: String) async throws -> Stored? {
        try await database.read(
            "SELECT * FROM {clients} WHERE tenant = :tenant AND id = ?1 AND revoked_at IS NULL", id
        ).first.map {
            Stored(
                id: id, session: try $0.text("session"),
                scopes: try $0.text("scopes").split(separator: " ").map(String.init), hash: Array(try $0.blob("hash")))
        }
    }

    /// Notes that a service gets a token; false where it was ended meanwhile.
    func use(_ client: Stored, at now: Int64) async throws -> Bool {
        try await database.write { tx in
            try await tx.run(
                """
                UPDATE {clients} SET used_at = ?3
                WHERE tenant = :tenant AND id = ?1 AND session = ?2 AND revoked_at IS NULL
                """, client.id, client.session, now
            ).changed == 1
        }
    }

    /// Ends a service and its tokens, and answers.
    func end(_ id: String, at now: Int64, answer: some Message) async throws {
        try await database.write { tx in
            let found = try await tx.run(
                "SELECT session FROM {clients} WHERE tenant = :tenant AND id = ?1 AND revoked_at IS NULL", id)
            guard let session = try found.first?.text("session") else { throw AccountsError.noClient() }
            let ended = try await tx.run(
                "UPDATE {clients} SET revoked_at = ?2 WHERE tenant = :tenant AND id = ?1 AND revoked_at IS NULL", id,
                now)
            guard ended.changed == 1 else { throw AccountsError.noClient() }
            SessionStore.publishEnd(session, of: id, cause: "client_revoked", tx)
            try tx.answer(answer)
        }
    }
}
