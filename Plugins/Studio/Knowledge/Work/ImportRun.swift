// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// An import being done: each source once, in a transaction of its own, so that it goes on where a kill left it.
struct ImportRun: Sendable {
    static let queue = "imports"
    static let kind = "knowledge.import"
    static let waits = "QUEUED"
    static let done = "SUCCEEDED"

    private let store: KnowledgeStore

    init(_ store: KnowledgeStore) { self.store = store }

    func work(on id: String) async throws {
        let found = try await store.db.read(
            "SELECT collection_id, status FROM {imports} WHERE tenant = :tenant AND id = ?1", id)
        guard let row = found.first, try row.text("status") == Self.waits else { return }
        let collection = try row.text("collection_id")
        while let source = try await next(id) {
            try await take(source, of: id, into: collection)
        }
        try await store.db.commit { batch in
            batch.run(
                "UPDATE {imports} SET status = ?2, finished_at = ?3 WHERE tenant = :tenant AND id = ?1 AND status = ?4",
                expect: 1, id, Self.done, store.now, Self.waits)
            batch.publish(
                type: "knowledge.imported", aggregate: id, data: try JSONText.write(["collection_id": collection]))
        }
    }

    private struct Source: Sendable {
        var place: Int64
        var name: String
        var format: String
        var content: Data
    }

    private func next(_ id: String) async throws -> Source? {
        let rows = try await store.db.read(
            """
            SELECT place, name, format, content FROM {sources}
            WHERE tenant = :tenant AND import_id = ?1 AND result IS NULL ORDER BY place LIMIT 1
            """, id)
        return try rows.first.map {
            Source(
                place: try $0.int("place"), name: try $0.text("name"), format: try $0.text("format"),
                content: try $0.optionalBlob("content") ?? Data())
        }
    }

    private func take(_ source: Source, of id: String, into collection: String) async throws {
        let read: (format: SourceFormat, document: ExtractedText)
        do throws(PluginError) {
            read = try Self.read(source)
        } catch {
            let refused = KnowledgeImportResult.with {
                $0.name = source.name
                $0.outcome = .refused
                $0.reason = error.reason
                $0.message = error.message
            }
            let json = try refused.jsonString()
            try await store.db.commit { settle(source, of: id, json, &$0) }
            return
        }
        let plan = try await plan(source, read, collection)
        let json = try plan.result.jsonString()
        let headings = try JSONText.write(read.document.headings)
        try await store.db.commit { batch in
            if plan.result.outcome == .added || plan.result.outcome == .changed {
                batch.run(
                    """
                    INSERT INTO {texts} (tenant, collection_id, sha256, body, headings)
                    VALUES (:tenant, ?1, ?2, ?3, ?4) ON CONFLICT (tenant, collection_id, sha256) DO NOTHING
                    """, collection, plan.result.sha256, read.document.text, headings)
                add(plan, source, read, collection, &batch)
            }
            settle(source, of: id, json, &batch)
        }
    }

    private static func read(_ source: Source) throws(PluginError) -> (SourceFormat, ExtractedText) {
        guard let format = SourceFormat(source.format, name: source.name) else { throw KnowledgeError.format() }
        let text: String
        do { text = try SourceBytes.text(Array(source.content)) } catch { throw KnowledgeError.fault(error) }
        let document = format.extract(text)
        guard document.text.unicodeScalars.contains(where: { WrittenKind($0) != .other }) else {
            throw KnowledgeError.blank()
        }
        return (format, document)
    }

    private struct Plan: Sendable {
        var result: KnowledgeImportResult
        /// The text that the item had, where it is changed.
        var before = ""
    }

    /// What becomes of a source, by what the collection has; conditions of the commit hold it to that.
    private func plan(
        _ source: Source, _ read: (format: SourceFormat, document: ExtractedText), _ collection: String
    ) async throws -> Plan {
        let text = read.document.text
        var plan = Plan(result: KnowledgeImportResult())
        plan.result.name = source.name
        plan.result.sha256 = Hex.encode(Digest.sha256(text.utf8))
        plan.result.length = Int64(text.unicodeScalars.count)
        let rows = try await store.db.read(
            """
            SELECT id, name, sha256, length FROM {items}
            WHERE tenant = :tenant AND collection_id = ?1 AND (name = ?2 OR sha256 = ?3) ORDER BY id
            """, collection, source.name, plan.result.sha256)
        let named = try rows.first { try $0.text("name") == source.name }
        if let named {
            plan.result.itemID = try named.text("id")
            plan.before = try named.text("sha256")
            let isSame = plan.before == plan.result.sha256
            plan.result.outcome = isSame ? .unchanged : .changed
            plan.result.grown = plan.result.length - (try named.int("length"))
        } else if let same = rows.first {
            plan.result.itemID = try same.text("id")
            plan.result.outcome = .duplicate
        } else {
            plan.result.itemID = ULID.next(prefix: "itm", at: store.now)
            plan.result.outcome = .added
            plan.result.grown = plan.result.length
        }
        return plan
    }

    private func add(
        _ plan: Plan, _ source: Source, _ read: (format: SourceFormat, document: ExtractedText), _ collection: String,
        _ batch: inout Batch
    ) {
        let title = String(String.UnicodeScalarView(read.document.title.unicodeScalars.prefix(200)))
        guard plan.result.outcome == .added else {
            batch.run(
                """
                UPDATE {items} SET format = ?2, title = ?3, sha256 = ?4, length = ?5, revision = revision + 1,
                    imported_at = ?6
                WHERE tenant = :tenant AND id = ?1 AND sha256 = ?7
                """, expect: 1, plan.result.itemID, read.format.rawValue, title, plan.result.sha256,
                plan.result.length, store.now, plan.before)
            return
        }
        batch.run(
            """
            INSERT INTO {items} (tenant, id, collection_id, name, format, title, sha256, length, revision, imported_at)
            VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8)
            """, expect: 1, plan.result.itemID, collection, source.name, read.format.rawValue, title,
            plan.result.sha256, plan.result.length, store.now)
    }

    /// Says what became of it, and lets its bytes go.
    private func settle(_ source: Source, of id: String, _ result: String, _ batch: inout Batch) {
        batch.run(
            """
            UPDATE {sources} SET result = ?3, content = NULL
            WHERE tenant = :tenant AND import_id = ?1 AND place = ?2 AND result IS NULL
            """, expect: 1, id, source.place, result)
    }
}
