// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension Knowledge {
    func addCollection(_ request: KnowledgeAddCollectionRequest, _ call: Call) async throws -> KnowledgeCollection {
        let project = try Self.project(call, named: request.projectID)
        try Self.check(name: request.name, at: "/name")
        guard request.tags.count <= 20 else { throw KnowledgeError.tag(20) }
        for (index, tag) in request.tags.enumerated() {
            guard tag.contains(where: { !$0.isWhitespace }), tag.unicodeScalars.count <= 60 else {
                throw KnowledgeError.tag(index)
            }
        }
        var made = KnowledgeCollection()
        made.createdAt = call.host.now
        made.id = ULID.next(prefix: "col", at: made.createdAt)
        made.projectID = project
        made.name = request.name
        made.tags = request.tags
        let (collection, tags) = (made, try JSONText.write(request.tags))
        do {
            try await KnowledgeStore(call).db.commit { batch in
                batch.run(
                    """
                    INSERT INTO {collections} (tenant, id, project_id, name, tags, created_at)
                    VALUES (:tenant, ?1, ?2, ?3, ?4, ?5)
                    """, expect: 1, collection.id, project, collection.name, tags, collection.createdAt)
                try batch.answer(collection)
            }
        } catch let error as PluginError where error.reason == "sql.unique" {
            throw KnowledgeError.nameTaken()
        }
        return collection
    }

    func listCollections(
        _ request: KnowledgeListCollectionsRequest, _ call: Call
    ) async throws -> KnowledgeCollections {
        let project = try Self.project(call, named: request.projectID)
        let page = try await KnowledgeStore(call).db.page(
            "\(KnowledgeStore.collection) AND c.project_id = ?1", by: Keyset(.descending(KnowledgeStore.collectionKey)),
            after: request.cursor, limit: Self.limit(request.limit), project)
        return try .with {
            $0.items = try page.rows.map { try KnowledgeCollection($0) }
            $0.nextCursor = page.next
        }
    }

    func getCollection(_ request: KnowledgeGetCollectionRequest, _ call: Call) async throws -> KnowledgeCollection {
        try await KnowledgeStore(call).collection(request.collectionID, in: Self.project(call))
    }

    func listItems(_ request: KnowledgeListItemsRequest, _ call: Call) async throws -> KnowledgeItems {
        let store = KnowledgeStore(call)
        let collection = try await store.collection(request.collectionID, in: Self.project(call))
        let page = try await store.db.page(
            """
            SELECT id, name, format, title, sha256, length, revision, imported_at FROM {items}
            WHERE tenant = :tenant AND collection_id = ?1
            """, by: Keyset(.ascending("name")), after: request.cursor, limit: Self.limit(request.limit), collection.id)
        return try .with {
            $0.items = try page.rows.map { try KnowledgeItem($0) }
            $0.nextCursor = page.next
        }
    }

    static func check(name: String, at pointer: String) throws {
        guard name.contains(where: { !$0.isWhitespace }), name.unicodeScalars.count <= 200,
            !name.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 })
        else { throw KnowledgeError.name(pointer) }
    }
}
