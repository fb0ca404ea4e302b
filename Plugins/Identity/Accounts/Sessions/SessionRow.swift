// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts
import TheatrePlugin

/// A session as it is stored.
struct SessionRow: Sendable {
    var id: String
    var account: String
    var chain: RefreshChain
    /// Version of the key that made the token that counts; empty where none did.
    var keyVersion = ""

    /// A session that begins with a token.
    init(account: String, first token: RefreshToken, at now: Int64) {
        id = ULID.next(prefix: "ses", at: now)
        self.account = account
        chain = RefreshChain(first: token.hash, at: now)
    }

    /// As stored.
    init(_ row: Row) throws {
        id = try row.text("id")
        account = try row.text("account")
        chain = RefreshChain(
            current: Array(try row.blob("current")), previous: try row.optionalBlob("previous").map(Array.init),
            rotatedAt: try row.int("rotated_at"), createdAt: try row.int("created_at"),
            usedAt: try row.int("used_at"), revokedAt: try row.optionalInt("revoked_at"))
        keyVersion = try row.text("key_version")
    }

    /// Adds the session and its first token.
    func insert(into batch: inout Batch) {
        batch.run(Self.add, expect: 1, id, account, chain.current, chain.createdAt)
        batch.run(Self.addToken, expect: 1, chain.current, id)
    }

    /// Adds the session and its first token.
    nonisolated(nonsending) func insert(into tx: Transaction) async throws {
        try await tx.run(Self.add, expect: 1, id, account, chain.current, chain.createdAt)
        try await tx.run(Self.addToken, expect: 1, chain.current, id)
    }

    private static let add = """
        INSERT INTO {sessions} (tenant, id, account, current, rotated_at, created_at, used_at)
        VALUES (:tenant, ?1, ?2, ?3, ?4, ?4, ?4)
        """
    private static let addToken = "INSERT INTO {tokens} (tenant, hash, session) VALUES (:tenant, ?1, ?2)"
}
