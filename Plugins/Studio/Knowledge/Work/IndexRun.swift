// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

/// A version being indexed: chunks of each item, then vectors of each chunk. Every step is stored before the next, so
/// that a run that comes again goes on where the last one was.
struct IndexRun: Sendable {
    static let queue = "indexing"
    static let kind = "knowledge.index"
    /// Runs after which a failure that could pass is final.
    static let attempts: UInt32 = 20
    /// Texts of one call to the embedder.
    private static let batch = 32
    /// Bytes of statements in one transaction, about.
    private static let mostBytes = 128 << 10

    let call: Call
    let store: KnowledgeStore
    let text: FullText

    func work(on id: String, isLast: Bool) async throws {
        guard let version = try await draft(id) else { return }
        do {
            try await chunkItems(version)
            try await embedChunks(version)
        } catch let error as PluginError where isLast || !error.isPassing {
            try await store.db.commit {
                $0.run(
                    "UPDATE {versions} SET failure = ?2 WHERE tenant = :tenant AND id = ?1 AND status = ?3", id,
                    error.reason, VersionState.draft.rawValue)
            }
            return
        }
        try await store.db.commit { batch in
            batch.run(
                """
                UPDATE {versions} SET status = ?2, indexed_at = ?3, failure = NULL
                WHERE tenant = :tenant AND id = ?1 AND status = ?4
                """, expect: 1, id, VersionState.indexed.rawValue, store.now, VersionState.draft.rawValue)
            batch.publish(
                type: "knowledge.indexed", aggregate: version.collectionID,
                data: try JSONText.write(["version_id": id]))
        }
    }

    /// The job that does it.
    static func job(_ version: String) -> JobsNewJob {
        var job = JobsNewJob(queue, kind: kind, uniqueKey: version)
        job.maxAttempts = attempts
        return job
    }

    private func draft(_ id: String) async throws -> KnowledgeVersion? {
        guard let row = try await store.db.read("\(KnowledgeStore.version) AND v.id = ?1", id).first else { return nil }
        let version = try KnowledgeVersion(row)
        return version.status == .draft && version.failure.isEmpty ? version : nil
    }

    // MARK: Chunks

    private func chunkItems(_ version: KnowledgeVersion) async throws {
        let items = try await store.db.read(
            """
            SELECT place, sha256 FROM {version_items} WHERE tenant = :tenant AND version_id = ?1 AND chunked = 0
            ORDER BY place
            """, version.id)
        let chunker = Chunker(tokens: Int(version.chunkTokens), overlap: Int(version.overlapTokens))
        for row in items {
            let (place, sha256) = (try row.int("place"), try row.text("sha256"))
            let document = try await document(sha256, version.collectionID)
            try await add(chunker.chunks(of: document), of: document, at: place, version)
        }
    }

    private func document(_ sha256: String, _ collection: String) async throws -> ExtractedText {
        let rows = try await store.db.read(
            "SELECT body, headings FROM {texts} WHERE tenant = :tenant AND collection_id = ?1 AND sha256 = ?2",
            collection, sha256)
        guard let row = rows.first else { throw KnowledgeError.row("text") }
        return ExtractedText(
            text: try row.text("body"),
            headings: try JSONText.read([ExtractedText.Heading].self, row.text("headings")))
    }

    /// Adds what is not there yet, in transactions of a bounded size.
    private func add(
        _ pieces: [Chunker.Piece], of document: ExtractedText, at place: Int64, _ version: KnowledgeVersion
    ) async throws {
        let scalars = Array(document.text.unicodeScalars)
        var (next, number) = try await progress(version.id, place)
        while true {
            var bytes = 0
            var end = next
            while end < pieces.count, bytes < Self.mostBytes {
                // The chunk, and what it is found by.
                bytes += pieces[end].range.count * 16
                end += 1
            }
            let part = pieces[next..<end]
            let first = number
            try await store.db.commit { batch in
                for (offset, piece) in part.enumerated() {
                    let text = scalars[piece.range]
                    batch.run(
                        """
                        INSERT INTO {chunks} (tenant, id, version_id, number, place, item_number, begins, ends, headings, body)
                        VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                        """, expect: 1, ULID.next(prefix: "chk", at: store.now), version.id, first + offset + 1,
                        place, part.startIndex + offset + 1, piece.range.lowerBound, piece.range.upperBound,
                        try JSONText.write(piece.path), String(String.UnicodeScalarView(text)))
                    self.text.add(text, number: first + offset + 1, of: version.id, to: &batch)
                }
                batch.run(
                    "UPDATE {versions} SET chunks = chunks + ?2 WHERE tenant = :tenant AND id = ?1", expect: 1,
                    version.id, part.count)
                guard end == pieces.count else { return }
                batch.run(
                    "UPDATE {version_items} SET chunked = 1 WHERE tenant = :tenant AND version_id = ?1 AND place = ?2",
                    expect: 1, version.id, place)
            }
            number += part.count
            next = end
            if next == pieces.count { return }
        }
    }

    /// How many chunks the item has, and the version.
    private func progress(_ version: String, _ place: Int64) async throws -> (item: Int, all: Int) {
        let rows = try await store.db.read(
            """
            SELECT count(*) AS n, COALESCE(max(number), 0) AS last FROM {chunks}
            WHERE tenant = :tenant AND version_id = ?1
            """, version)
        let own = try await store.db.read(
            "SELECT count(*) AS n FROM {chunks} WHERE tenant = :tenant AND version_id = ?1 AND place = ?2", version,
            place)
        return (Int(try own.first?.int("n") ?? 0), Int(try rows.first?.int("last") ?? 0))
    }

    // MARK: Vectors

    private func embedChunks(_ version: KnowledgeVersion) async throws {
        var last =
            try await store.db.read(
                "SELECT COALESCE(max(number), 0) AS last FROM {vectors} WHERE tenant = :tenant AND version_id = ?1",
                version.id
            ).first?.int("last") ?? 0
        var known = (model: version.embedder, dimensions: Int(version.dimensions))
        while true {
            let rows = try await store.db.read(
                """
                SELECT number, headings, body FROM {chunks}
                WHERE tenant = :tenant AND version_id = ?1 AND number > ?2 ORDER BY number LIMIT ?3
                """, version.id, last, Self.batch)
            guard !rows.isEmpty else { return }
            let texts = try rows.map {
                try Embedder.meaning($0.text("body"), below: JSONText.read([String].self, $0.text("headings")))
            }
            let answer = try await Embedder(call).embed(texts, for: .document)
            if known.model.isEmpty { known = (answer.model, answer.dimensions) }
            guard answer.model == known.model, answer.dimensions == known.dimensions else {
                throw KnowledgeError.mixed(known.model, answer.model)
            }
            try await store(answer, rows, version.id)
            last = try rows[rows.count - 1].int("number")
        }
    }

    private func store(_ answer: Embedder.Answer, _ rows: Rows, _ version: String) async throws {
        try await store.db.commit { batch in
            for (row, vector) in zip(rows, answer.vectors) {
                batch.run(
                    "INSERT INTO {vectors} (tenant, version_id, number, vector) VALUES (:tenant, ?1, ?2, ?3)",
                    expect: 1,
                    version, try row.int("number"), VectorBytes.encode(vector))
            }
            batch.run(
                """
                UPDATE {versions} SET vectors = vectors + ?2, embedder = ?3, dimensions = ?4
                WHERE tenant = :tenant AND id = ?1 AND (embedder IS NULL OR embedder = ?3 AND dimensions = ?4)
                """, expect: 1, version, answer.vectors.count, answer.model, answer.dimensions)
        }
    }
}
