// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension Knowledge {
    func addVersion(_ request: KnowledgeAddVersionRequest, _ call: Call) async throws -> KnowledgeVersion {
        let store = KnowledgeStore(call)
        let collection = try await store.collection(request.collectionID, in: Self.project(call))
        guard request.note.unicodeScalars.count <= 500 else { throw KnowledgeError.note() }
        guard collection.items > 0 else { throw KnowledgeError.empty() }
        var made = KnowledgeVersion()
        made.createdAt = call.host.now
        made.id = ULID.next(prefix: "kbv", at: made.createdAt)
        made.collectionID = collection.id
        made.status = .draft
        made.note = request.note
        made.chunkTokens = UInt32(clamping: configuration.chunkTokens)
        made.overlapTokens = UInt32(clamping: configuration.overlapTokens)
        let draft = made
        return try await store.db.write { try await Self.insert(draft, $0) }
    }

    private static func insert(_ draft: KnowledgeVersion, _ tx: Transaction) async throws -> KnowledgeVersion {
        var version = draft
        let last = try await tx.run(
            "SELECT COALESCE(max(number), 0) AS n FROM {versions} WHERE tenant = :tenant AND collection_id = ?1",
            version.collectionID)
        version.number = try (last.first?.int("n") ?? 0) + 1
        version.items = Int64(
            try await tx.run(
                """
                INSERT INTO {version_items} (tenant, version_id, place, item_id, name, sha256)
                SELECT tenant, CAST(?1 AS TEXT), row_number() OVER (ORDER BY name), id, name, sha256 FROM {items}
                WHERE tenant = :tenant AND collection_id = ?2
                """, version.id, version.collectionID
            ).changed)
        try await tx.run(
            """
            INSERT INTO {versions} (tenant, id, collection_id, number, status, note, items, chunk_tokens, overlap_tokens,
                created_at)
            VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            """, expect: 1, version.id, version.collectionID, version.number, VersionState.draft.rawValue, version.note,
            version.items, version.chunkTokens, version.overlapTokens, version.createdAt)
        tx.enqueue(IndexRun.job(version.id))
        try tx.answer(version)
        return version
    }

    func listVersions(_ request: KnowledgeListVersionsRequest, _ call: Call) async throws -> KnowledgeVersions {
        let store = KnowledgeStore(call)
        let collection = try await store.collection(request.collectionID, in: Self.project(call))
        let page = try await store.db.page(
            "\(KnowledgeStore.version) AND v.collection_id = ?1", by: Keyset(.descending(KnowledgeStore.versionKey)),
            after: request.cursor, limit: Self.limit(request.limit), collection.id)
        return try .with {
            $0.items = try page.rows.map { try KnowledgeVersion($0) }
            $0.nextCursor = page.next
        }
    }

    func getVersion(_ request: KnowledgeGetVersionRequest, _ call: Call) async throws -> KnowledgeVersion {
        try await KnowledgeStore(call).version(request.versionID, in: Self.project(call))
    }

    func releaseVersion(_ request: KnowledgeReleaseVersionRequest, _ call: Call) async throws -> KnowledgeVersion {
        let project = try Self.project(call)
        let store = KnowledgeStore(call)
        return try await store.db.write { tx in
            var version = try await Self.version(request.versionID, project, tx)
            guard let state = version.status.state, state.canBeReleased(isCurrent: version.current) else {
                throw KnowledgeError.state(version.status.state?.rawValue ?? "", "released")
            }
            version.status = .released
            version.current = true
            version.releasedAt = store.now
            try await tx.run(
                """
                UPDATE {versions} SET status = ?2, released_at = ?3 WHERE tenant = :tenant AND id = ?1 AND status = ?4
                """, expect: 1, version.id, VersionState.released.rawValue, store.now, state.rawValue)
            try await Self.search(version.id, in: version.collectionID, tx)
            tx.publish(
                type: "knowledge.released", aggregate: version.collectionID,
                data: try JSONText.write(["version_id": version.id]))
            try tx.answer(version)
            return version
        }
    }

    func rollbackVersion(_ request: KnowledgeRollbackVersionRequest, _ call: Call) async throws -> KnowledgeVersion {
        let project = try Self.project(call)
        let store = KnowledgeStore(call)
        guard request.reason.contains(where: { !$0.isWhitespace }), request.reason.unicodeScalars.count <= 500 else {
            throw KnowledgeError.reason()
        }
        return try await store.db.write { tx in
            var version = try await Self.version(request.versionID, project, tx)
            guard let state = version.status.state, state.canBeRolledBack(isCurrent: version.current) else {
                throw KnowledgeError.state(version.status.state?.rawValue ?? "", "rolled back")
            }
            version.status = .rolledBack
            version.current = false
            version.rollbackReason = request.reason
            version.rolledBackAt = store.now
            try await tx.run(
                """
                UPDATE {versions} SET status = ?2, rollback_reason = ?3, rolled_back_at = ?4
                WHERE tenant = :tenant AND id = ?1
                """, expect: 1, version.id, VersionState.rolledBack.rawValue, version.rollbackReason, store.now)
            let before = try await tx.run(
                """
                SELECT id FROM {versions} WHERE tenant = :tenant AND collection_id = ?1 AND status = ?2
                ORDER BY released_at DESC NULLS LAST, number DESC LIMIT 1
                """, version.collectionID, VersionState.released.rawValue)
            let previous = try before.first?.text("id")
            try await Self.search(previous, in: version.collectionID, tx)
            tx.publish(
                type: "knowledge.rolled_back", aggregate: version.collectionID,
                data: try JSONText.write(
                    ["version_id": version.id, "reason": version.rollbackReason, "now": previous ?? ""]))
            try tx.answer(version)
            return version
        }
    }

    private static func version(_ id: String, _ project: String, _ tx: Transaction) async throws -> KnowledgeVersion {
        let rows = try await tx.run("\(KnowledgeStore.version) AND v.id = ?1 AND c.project_id = ?2", id, project)
        guard let row = rows.first else { throw KnowledgeError.notFound("version") }
        return try KnowledgeVersion(row)
    }

    private static func search(_ version: String?, in collection: String, _ tx: Transaction) async throws {
        try await tx.run(
            "UPDATE {collections} SET released_version_id = ?2 WHERE tenant = :tenant AND id = ?1", expect: 1,
            collection, version)
    }
}
