// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

// Rows as clients see them.

extension KnowledgeCollection {
    init(_ row: Row) throws {
        self.init()
        id = try row.text("id")
        projectID = try row.text("project_id")
        name = try row.text("name")
        tags = try JSONText.read([String].self, row.text("tags"))
        items = try row.int("items")
        releasedVersionID = try row.optionalText("released_version_id") ?? ""
        createdAt = try row.int("created_at")
    }
}

extension KnowledgeItem {
    init(_ row: Row) throws {
        self.init()
        id = try row.text("id")
        name = try row.text("name")
        format = try row.text("format")
        title = try row.text("title")
        sha256 = try row.text("sha256")
        length = try row.int("length")
        revision = try row.int("revision")
        importedAt = try row.int("imported_at")
    }
}

extension KnowledgeImportJob {
    init(_ row: Row) throws {
        self.init()
        id = try row.text("id")
        collectionID = try row.text("collection_id")
        status = try row.text("status") == ImportRun.done ? .succeeded : .queued
        sources = try row.int("sources")
        createdAt = try row.int("created_at")
        finishedAt = try row.optionalInt("finished_at") ?? 0
    }
}

extension KnowledgeVersion {
    init(_ row: Row) throws {
        self.init()
        id = try row.text("id")
        collectionID = try row.text("collection_id")
        number = try row.int("number")
        guard let state = VersionState(rawValue: try row.text("status")) else { throw KnowledgeError.row("version") }
        status = state.message
        current = try row.optionalText("released_version_id") == id
        note = try row.text("note")
        items = try row.int("items")
        chunks = try row.int("chunks")
        vectors = try row.int("vectors")
        chunkTokens = UInt32(clamping: try row.int("chunk_tokens"))
        overlapTokens = UInt32(clamping: try row.int("overlap_tokens"))
        embedder = try row.optionalText("embedder") ?? ""
        dimensions = UInt32(clamping: try row.int("dimensions"))
        failure = try row.optionalText("failure") ?? ""
        rollbackReason = try row.optionalText("rollback_reason") ?? ""
        createdAt = try row.int("created_at")
        indexedAt = try row.optionalInt("indexed_at") ?? 0
        releasedAt = try row.optionalInt("released_at") ?? 0
        rolledBackAt = try row.optionalInt("rolled_back_at") ?? 0
    }
}

extension KnowledgeChunk {
    init(_ row: Row) throws {
        self.init()
        id = try row.text("id")
        versionID = try row.text("version_id")
        itemID = try row.text("item_id")
        itemName = try row.text("name")
        sha256 = try row.text("sha256")
        number = UInt32(clamping: try row.int("item_number"))
        headingPath = try JSONText.read([String].self, row.text("headings"))
        start = try row.int("begins")
        end = try row.int("ends")
        text = try row.text("body")
    }
}
