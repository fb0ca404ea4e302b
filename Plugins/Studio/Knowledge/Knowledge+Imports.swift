// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension Knowledge {
    /// All sources of an import together.
    static let mostBytes = 512 << 10

    func startImport(_ request: KnowledgeStartImportRequest, _ call: Call) async throws -> KnowledgeImportJob {
        let store = KnowledgeStore(call)
        let collection = try await store.collection(request.collectionID, in: Self.project(call))
        let bytes = request.sources.reduce(0) { $0 + max($1.content.count, $1.text.utf8.count) }
        guard (1...50).contains(request.sources.count), bytes <= Self.mostBytes else { throw KnowledgeError.sources() }
        var names: Set<String> = []
        for (index, source) in request.sources.enumerated() {
            try Self.check(name: source.name, at: "/sources/\(index)/name")
            guard names.insert(source.name).inserted else { throw KnowledgeError.twice(index) }
        }
        var made = KnowledgeImportJob()
        made.createdAt = call.host.now
        made.id = ULID.next(prefix: "imp", at: made.createdAt)
        made.collectionID = collection.id
        made.status = .queued
        made.sources = Int64(request.sources.count)
        let job = made
        try await store.db.commit { batch in
            batch.run(
                """
                INSERT INTO {imports} (tenant, id, collection_id, status, sources, created_at)
                VALUES (:tenant, ?1, ?2, ?3, ?4, ?5)
                """, expect: 1, job.id, job.collectionID, ImportRun.waits, job.sources, job.createdAt)
            for (index, source) in request.sources.enumerated() {
                let content = source.content.isEmpty ? Data(source.text.utf8) : source.content
                batch.run(
                    """
                    INSERT INTO {sources} (tenant, import_id, place, name, format, content)
                    VALUES (:tenant, ?1, ?2, ?3, ?4, ?5)
                    """, expect: 1, job.id, index, source.name, source.format, content)
            }
            batch.enqueue(JobsNewJob(ImportRun.queue, kind: ImportRun.kind, uniqueKey: job.id))
            try batch.answer(job)
        }
        return job
    }

    func getImport(_ request: KnowledgeGetImportRequest, _ call: Call) async throws -> KnowledgeImportJob {
        let store = KnowledgeStore(call)
        var job = try await store.importJob(request.importID, in: Self.project(call))
        if job.status == .succeeded { job.results = try await store.results(job.id) }
        return job
    }

    func listImports(_ request: KnowledgeListImportsRequest, _ call: Call) async throws -> KnowledgeImportJobs {
        let store = KnowledgeStore(call)
        let project = try Self.project(call)
        let collection = try await store.collection(request.collectionID, in: project)
        let page = try await store.db.page(
            "\(KnowledgeStore.importJob) AND m.collection_id = ?2", by: Keyset(.descending(KnowledgeStore.importKey)),
            after: request.cursor, limit: Self.limit(request.limit), project, collection.id)
        return try .with {
            $0.items = try page.rows.map { try KnowledgeImportJob($0) }
            $0.nextCursor = page.next
        }
    }
}
