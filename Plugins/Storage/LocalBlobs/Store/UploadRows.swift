// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Uploads in parts, as the database knows them. A part counts as stored bytes until it is dropped.
extension BlobRows {
    /// An upload as its row says.
    struct Upload: Sendable {
        var id: String
        var draft: BlobDraft
        var expiresAt: Int64
        /// What it became; nil while it is open.
        var completed: BlobBlobInfo?
    }

    func createUpload(_ draft: BlobDraft, of owner: BlobOwner, at now: Int64) async throws -> BlobUpload {
        let upload = BlobUpload.with {
            $0.uploadID = ULID.next(prefix: "upl", at: now)
            $0.key = draft.key
            $0.expiresAt = now + configuration.uploadDays * 86_400_000
        }
        try await database.commit { batch in
            batch.run(
                """
                /* tenants: all */
                INSERT INTO {uploads} (tenant, owner, id, blob_key, content_type, metadata, if_absent, if_match, size,
                    sha256, expires_at, digest, completed_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, '', 0)
                """, owner.tenant, owner.instance, upload.uploadID, draft.key, draft.contentType, draft.metadata,
                draft.conditions.ifAbsent, draft.conditions.ifMatch, draft.size, draft.sha256, upload.expiresAt)
        }
        return upload
    }

    private static let selectUpload = """
        /* tenants: all */
        SELECT id, blob_key, content_type, metadata, if_absent, if_match, size, sha256, expires_at, digest, completed_at
        FROM {uploads} WHERE tenant = ?1 AND owner = ?2 AND id = ?3
        """

    /// - Throws: NOT_FOUND `blob.unknown_upload`, also once it is given up.
    func upload(_ id: String, of owner: BlobOwner, at now: Int64) async throws -> Upload {
        try Self.upload(await database.read(Self.selectUpload, owner.tenant, owner.instance, id).first, at: now)
    }

    private static func upload(_ row: Row?, at now: Int64) throws -> Upload {
        guard let row, try row.int("expires_at") > now else { throw LocalBlobsError.unknownUpload }
        let draft = try BlobDraft(row)
        var upload = Upload(id: try row.text("id"), draft: draft, expiresAt: try row.int("expires_at"))
        let digest = try row.text("digest")
        guard !digest.isEmpty else { return upload }
        upload.completed = BlobBlobInfo()
        upload.completed?.key = draft.key
        upload.completed?.size = draft.size
        upload.completed?.etag = digest
        upload.completed?.contentType = draft.contentType
        upload.completed?.metadata = try BlobMetadata.pairs(draft.metadata)
        upload.completed?.modifiedAt = try row.int("completed_at")
        return upload
    }

    func putPart(_ number: UInt32, _ content: Content, of id: String, _ owner: BlobOwner, at now: Int64) async throws {
        try await database.write { tx in
            let upload = try Self.upload(
                await tx.run(Self.selectUpload, owner.tenant, owner.instance, id).first, at: now)
            guard upload.completed == nil else { throw LocalBlobsError.unknownUpload }
            let former = try await tx.run(
                "/* tenants: all */ SELECT size FROM {parts} WHERE upload_id = ?1 AND number = ?2", id, number
            ).first?.int("size")
            try await tx.run(
                """
                /* tenants: all */
                INSERT INTO {parts} (tenant, upload_id, number, digest, size) VALUES (?1, ?2, ?3, ?4, ?5)
                ON CONFLICT (upload_id, number) DO UPDATE SET digest = ?4, size = ?5
                """, owner.tenant, id, number, content.digest, content.size)
            try await charge(content.size - (former ?? 0), to: owner, in: tx)
        }
    }

    func parts(of id: String) async throws -> [BlobPartInfo] {
        var parts: [BlobPartInfo] = []
        while true {
            let rows = try await database.read(Self.selectParts, id, parts.last?.number ?? 0)
            parts += try rows.map(Self.part)
            if rows.count < 5000 { return parts }
        }
    }

    private static let selectParts =
        "/* tenants: all */ SELECT number, size, digest FROM {parts} WHERE upload_id = ?1 AND number > ?2 ORDER BY number LIMIT 5000"

    private static func part(_ row: Row) throws -> BlobPartInfo {
        var part = BlobPartInfo()
        part.number = UInt32(clamping: try row.int("number"))
        part.size = try row.int("size")
        part.etag = try row.text("digest")
        return part
    }

    /// Makes the blob of an upload whose content is there, and drops the parts.
    func complete(_ id: String, _ content: Content, of owner: BlobOwner, at now: Int64) async throws -> BlobBlobInfo {
        try await database.write { tx in
            let upload = try Self.upload(
                await tx.run(Self.selectUpload, owner.tenant, owner.instance, id).first, at: now)
            if let completed = upload.completed { return completed }
            let freed = try await Self.dropParts(of: id, in: tx)
            let info = try await put(upload.draft, content, of: owner, at: now, freeing: freed, in: tx)
            try await tx.run(
                "/* tenants: all */ UPDATE {uploads} SET digest = ?2, size = ?3, completed_at = ?4 WHERE id = ?1",
                expect: 1, id,
                content.digest, content.size, now)
            return info
        }
    }

    /// Drops an open upload with its parts; nothing where there is none.
    func abort(_ id: String, of owner: BlobOwner) async throws {
        try await database.write { tx in
            let gone = try await tx.run(
                "/* tenants: all */ DELETE FROM {uploads} WHERE tenant = ?1 AND owner = ?2 AND id = ?3 AND digest = ''",
                owner.tenant,
                owner.instance, id)
            guard gone.changed == 1 else { return }
            try await charge(-Self.dropParts(of: id, in: tx), to: owner, in: tx)
        }
    }

    /// Bytes of the parts that were dropped.
    private nonisolated(nonsending) static func dropParts(of id: String, in tx: Transaction) async throws -> Int64 {
        let freed = try await tx.run("/* tenants: all */ SELECT sum(size) AS n FROM {parts} WHERE upload_id = ?1", id)
            .first?.optionalInt(
                "n")
        try await tx.run("/* tenants: all */ DELETE FROM {parts} WHERE upload_id = ?1", id)
        return freed ?? 0
    }

    /// Drops up to 100 uploads whose time is over; how many.
    func dropExpired(at now: Int64) async throws -> Int {
        let rows = try await database.read(
            "/* tenants: all */ SELECT tenant, owner, id FROM {uploads} WHERE expires_at <= ?1 ORDER BY expires_at LIMIT 100",
            now)
        for row in rows {
            let owner = BlobOwner(tenant: try row.text("tenant"), instance: try row.text("owner"))
            let id = try row.text("id")
            try await database.write { tx in
                try await tx.run("/* tenants: all */ DELETE FROM {uploads} WHERE id = ?1", id)
                try await charge(-Self.dropParts(of: id, in: tx), to: owner, in: tx)
            }
        }
        return rows.count
    }
}

extension BlobDraft {
    /// As an upload's row holds it.
    fileprivate init(_ row: Row) throws {
        key = try row.text("blob_key")
        contentType = try row.text("content_type")
        metadata = try row.text("metadata")
        conditions = BlobConditions(ifAbsent: try row.bool("if_absent"), ifMatch: try row.text("if_match"))
        size = try row.int("size")
        sha256 = try row.text("sha256")
    }
}
