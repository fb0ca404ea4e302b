// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What the database knows of blobs: a key's digest, size, type and metadata, and how much everybody stores.
///
/// The tenant is bound by hand: a signed URL brings its own.
struct BlobRows: Sendable {
    let database: Database
    let configuration: LocalBlobsConfiguration

    init(_ scope: some CallScope, _ configuration: LocalBlobsConfiguration) {
        database = Database(scope, feature: "localblobs.storage")
        self.configuration = configuration
    }

    /// A blob as its row says.
    struct Found: Sendable, Hashable {
        var info: BlobBlobInfo
        var digest: String { info.etag }

        init(_ row: Row) throws {
            info = BlobBlobInfo()
            info.key = try row.text("blob_key")
            info.etag = try row.text("digest")
            info.size = try row.int("size")
            info.contentType = try row.text("content_type")
            info.metadata = try BlobMetadata.pairs(row.text("metadata"))
            info.modifiedAt = try row.int("modified_at")
        }
    }

    static let select = """
        /* tenants: all */
        SELECT blob_key, digest, size, content_type, metadata, modified_at FROM {blobs}
        WHERE tenant = ?1 AND owner = ?2 AND blob_key = ?3
        """

    func find(_ key: String, of owner: BlobOwner) async throws -> Found? {
        try await database.read(Self.select, owner.tenant, owner.instance, key).first.map(Found.init)
    }

    /// Refuses early what ``put(_:_:of:at:)`` would refuse once the bytes are there.
    func expect(_ draft: BlobDraft, of owner: BlobOwner) async throws {
        guard draft.conditions != BlobConditions() else { return }
        try draft.conditions.check(try await find(draft.key, of: owner)?.digest)
    }

    /// Gives the key its new content.
    func put(_ draft: BlobDraft, _ content: Content, of owner: BlobOwner, at now: Int64) async throws -> BlobBlobInfo {
        try await database.write { tx in
            try await put(draft, content, of: owner, at: now, freeing: 0, in: tx)
        }
    }

    /// Gives the key its new content, in a transaction that also lets go of some bytes.
    nonisolated(nonsending) func put(
        _ draft: BlobDraft, _ content: Content, of owner: BlobOwner, at now: Int64, freeing: Int64, in tx: Transaction
    ) async throws -> BlobBlobInfo {
        let current = try await tx.run(Self.select, owner.tenant, owner.instance, draft.key).first.map(Found.init)
        try draft.conditions.check(current?.digest)
        try await tx.run(
            """
            /* tenants: all */
            INSERT INTO {blobs} (tenant, owner, blob_key, digest, size, content_type, metadata, modified_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            ON CONFLICT (tenant, owner, blob_key) DO UPDATE SET digest = ?4, size = ?5, content_type = ?6,
                metadata = ?7, modified_at = ?8
            """, owner.tenant, owner.instance, draft.key, content.digest, content.size, draft.contentType,
            draft.metadata, now)
        try await charge(content.size - (current?.info.size ?? 0) - freeing, to: owner, in: tx)
        return try .with {
            $0.key = draft.key
            $0.size = content.size
            $0.etag = content.digest
            $0.contentType = draft.contentType
            $0.metadata = try BlobMetadata.pairs(draft.metadata)
            $0.modifiedAt = now
        }
    }

    /// Removes a key; nothing where there is none.
    func delete(_ key: String, _ conditions: BlobConditions, of owner: BlobOwner) async throws {
        guard let found = try await find(key, of: owner) else { return try conditions.check(nil) }
        try conditions.check(found.digest)
        try await database.write { tx in
            let rows = try await tx.run(Self.select, owner.tenant, owner.instance, key)
            guard let current = try rows.first.map(Found.init) else { return try conditions.check(nil) }
            try conditions.check(current.digest)
            try await tx.run(
                "/* tenants: all */ DELETE FROM {blobs} WHERE tenant = ?1 AND owner = ?2 AND blob_key = ?3", expect: 1,
                owner.tenant,
                owner.instance, key)
            try await charge(-current.info.size, to: owner, in: tx)
        }
    }

    /// Adds to what an owner stores, within the quotas where it is more.
    nonisolated(nonsending) func charge(_ bytes: Int64, to owner: BlobOwner, in tx: Transaction) async throws {
        guard bytes != 0 else { return }
        let updated = try await tx.run(
            "/* tenants: all */ UPDATE {usage} SET bytes = bytes + ?3 WHERE tenant = ?1 AND owner = ?2", owner.tenant,
            owner.instance,
            bytes)
        if updated.changed == 0 {
            try await tx.run(
                "/* tenants: all */ INSERT INTO {usage} (tenant, owner, bytes) VALUES (?1, ?2, ?3)", owner.tenant,
                owner.instance, bytes)
        }
        guard bytes > 0 else { return }
        if configuration.quotaBytes > 0 {
            let rows = try await tx.run(
                "/* tenants: all */ SELECT bytes FROM {usage} WHERE tenant = ?1 AND owner = ?2", owner.tenant,
                owner.instance)
            guard try rows.first?.int("bytes") ?? 0 <= configuration.quotaBytes else {
                throw LocalBlobsError.quota(configuration.quotaBytes)
            }
        }
        if configuration.totalBytes > 0 {
            let rows = try await tx.run("/* tenants: all */ SELECT sum(bytes) AS n FROM {usage}")
            guard try rows.first?.optionalInt("n") ?? 0 <= configuration.totalBytes else {
                throw LocalBlobsError.quota(configuration.totalBytes)
            }
        }
    }

    /// What an owner stores, in bytes.
    func usage(of owner: BlobOwner) async throws -> Int64 {
        try await database.read(
            "/* tenants: all */ SELECT bytes FROM {usage} WHERE tenant = ?1 AND owner = ?2", owner.tenant,
            owner.instance
        ).first?.int("bytes") ?? 0
    }
}
