// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Reads of the tables. Every one of a person's rows is found by its owner as well.
struct DraftingStore: Sendable {
    let db: Database

    init(_ scope: some CallScope) { db = Database(scope, feature: Drafting.storage) }

    /// A project of `owner`.
    func project(_ id: String, owner: String) async throws -> StudioProject {
        let rows = try await db.read(
            """
            SELECT id, name, language, created_at FROM {projects}
            WHERE tenant = :tenant AND id = ?1 AND owner = ?2
            """, id, owner)
        guard let row = rows.first else { throw DraftingError.notFound("project") }
        return try Self.project(row)
    }

    /// Projects of `owner`, newest first.
    func projects(owner: String, limit: Int, cursor: String) async throws -> StudioProjects {
        let after =
            cursor.isEmpty
            ? [SQLValue(integerLiteral: .max), SQLValue(stringLiteral: "")]
            : try PageCursor(text: cursor, count: 2).values
        let rows = try await db.read(
            """
            SELECT id, name, language, created_at FROM {projects}
            WHERE tenant = :tenant AND owner = ?1 AND (created_at, id) < (?2, ?3)
            ORDER BY created_at DESC, id DESC LIMIT ?4
            """, owner, after[0], after[1], limit + 1)
        var response = StudioProjects()
        response.items = try rows.prefix(limit).map(Self.project)
        if rows.count > limit { response.nextCursor = try PageCursor(rows[limit - 1], "created_at", "id").text }
        return response
    }

    /// A chapter of a project, and its text.
    func chapter(_ id: String, project: String) async throws -> (chapter: StudioChapter, text: String) {
        let rows = try await db.read(
            """
            SELECT id, project_id, title, body, length, sha256, created_at FROM {chapters}
            WHERE tenant = :tenant AND id = ?1 AND project_id = ?2
            """, id, project)
        guard let row = rows.first else { throw DraftingError.notFound("chapter") }
        var chapter = StudioChapter()
        chapter.id = try row.text("id")
        chapter.projectID = try row.text("project_id")
        chapter.title = try row.text("title")
        chapter.length = try row.int("length")
        chapter.sha256 = try row.text("sha256")
        chapter.createdAt = try row.int("created_at")
        return (chapter, try row.text("body"))
    }

    /// A run, whoever owns it; nil where there is none. For the run's own work.
    func run(_ id: String) async throws -> StoredRun? {
        try await db.read("SELECT \(StoredRun.columns) FROM {runs} WHERE tenant = :tenant AND id = ?1", id)
            .first.map { try StoredRun($0) }
    }

    /// A run of `owner`.
    func run(_ id: String, owner: String) async throws -> StoredRun {
        guard let run = try await run(id), run.owner == owner else { throw DraftingError.notFound("run") }
        return run
    }

    /// The vectors of a run's scenes, by number.
    func vectors(_ run: String) async throws -> [[Float]] {
        try await db.read("SELECT vector FROM {vectors} WHERE tenant = :tenant AND run_id = ?1 ORDER BY number", run)
            .map { try ContentVector(serializedBytes: $0.blob("vector")).values }
    }

    /// The scenes of a run, by number.
    func scenes(_ run: String) async throws -> [StudioScene] {
        try await db.read(
            """
            SELECT id, number, title, summary, quote, characters, place, stage, prompt, findings, "similar"
            FROM {scenes} WHERE tenant = :tenant AND run_id = ?1 ORDER BY number
            """, run
        ).map(Self.scene)
    }

    private static func project(_ row: Row) throws -> StudioProject {
        try .with {
            $0.id = try row.text("id")
            $0.name = try row.text("name")
            $0.language = try row.text("language")
            $0.createdAt = try row.int("created_at")
        }
    }

    private static func scene(_ row: Row) throws -> StudioScene {
        try .with {
            $0.id = try row.text("id")
            $0.number = UInt32(clamping: try row.int("number"))
            $0.title = try row.text("title")
            $0.summary = try row.text("summary")
            $0.quote = try row.text("quote")
            $0.characters = try JSONText.read([String].self, row.text("characters"))
            $0.place = try row.optionalText("place") ?? ""
            $0.stage = try row.optionalText("stage") ?? ""
            $0.prompt = try row.text("prompt")
            $0.findings = try CultureFinding.array(fromJSONString: row.text("findings"))
            $0.similar = try JSONText.read([UInt32].self, row.text("similar"))
        }
    }
}
