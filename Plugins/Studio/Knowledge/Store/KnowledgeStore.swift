// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Reads of the tables. What a request is after is found by its project as well.
struct KnowledgeStore: Sendable {
    let db: Database
    let now: Int64

    init(_ call: Call) {
        db = Database(call, feature: Knowledge.storage)
        now = call.host.now
    }

    // MARK: Collections

    static let collectionKey = "c.id"
    static let collection = """
        SELECT c.id, c.project_id, c.name, c.tags, c.released_version_id, c.created_at,
            (SELECT count(*) FROM {items} AS i WHERE i.tenant = :tenant AND i.collection_id = c.id) AS items
        FROM {collections} AS c WHERE c.tenant = :tenant
        """

    /// A collection of a project.
    func collection(_ id: String, in project: String) async throws -> KnowledgeCollection {
        let rows = try await db.read("\(Self.collection) AND c.id = ?1 AND c.project_id = ?2", id, project)
        guard let row = rows.first else { throw KnowledgeError.notFound("collection") }
        return try KnowledgeCollection(row)
    }

    // MARK: Imports

    static let importKey = "m.id"
    static let importJob = """
        SELECT m.id, m.collection_id, m.status, m.sources, m.created_at, m.finished_at
        FROM {imports} AS m JOIN {collections} AS c ON c.tenant = :tenant AND c.id = m.collection_id
        WHERE m.tenant = :tenant AND c.project_id = ?1
        """

    /// An import of a project, without its results.
    func importJob(_ id: String, in project: String) async throws -> KnowledgeImportJob {
        let rows = try await db.read("\(Self.importJob) AND m.id = ?2", project, id)
        guard let row = rows.first else { throw KnowledgeError.notFound("import") }
        return try KnowledgeImportJob(row)
    }

    /// What became of the sources so far, in order.
    func results(_ importID: String) async throws -> [KnowledgeImportResult] {
        try await db.read(
            """
            SELECT result FROM {sources} WHERE tenant = :tenant AND import_id = ?1 AND result IS NOT NULL ORDER BY place
            """, importID
        ).map { try KnowledgeImportResult(jsonString: $0.text("result")) }
    }

    // MARK: Versions

    static let versionKey = "v.number"
    static let version = """
        SELECT v.id, v.collection_id, v.number, v.status, v.note, v.items, v.chunks, v.vectors, v.chunk_tokens,
            v.overlap_tokens, v.embedder, v.dimensions, v.failure, v.rollback_reason, v.created_at, v.indexed_at,
            v.released_at, v.rolled_back_at, c.released_version_id
        FROM {versions} AS v JOIN {collections} AS c ON c.tenant = :tenant AND c.id = v.collection_id
        WHERE v.tenant = :tenant
        """

    /// A version of a project.
    func version(_ id: String, in project: String) async throws -> KnowledgeVersion {
        let rows = try await db.read("\(Self.version) AND v.id = ?1 AND c.project_id = ?2", id, project)
        guard let row = rows.first else { throw KnowledgeError.notFound("version") }
        return try KnowledgeVersion(row)
    }

    // MARK: Chunks

    static let chunk = """
        SELECT k.id, k.version_id, k.number, k.item_number, k.begins, k.ends, k.headings, k.body, t.item_id, t.name, t.sha256
        FROM {chunks} AS k JOIN {version_items} AS t
            ON t.tenant = :tenant AND t.version_id = k.version_id AND t.place = k.place
        """

    /// A chunk of a project.
    func chunk(_ id: String, in project: String) async throws -> KnowledgeChunk {
        let rows = try await db.read(
            """
            \(Self.chunk) JOIN {versions} AS v ON v.tenant = :tenant AND v.id = k.version_id
            JOIN {collections} AS c ON c.tenant = :tenant AND c.id = v.collection_id
            WHERE k.tenant = :tenant AND k.id = ?1 AND c.project_id = ?2
            """, id, project)
        guard let row = rows.first else { throw KnowledgeError.notFound("chunk") }
        return try KnowledgeChunk(row)
    }
}
