// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Reads of the tables. What a request is after is found by its project as well.
struct DraftingStore: Sendable {
    let db: Database

    init(_ scope: some CallScope) { db = Database(scope, feature: Drafting.storage) }

    /// A chapter of a project, and its text.
    func chapter(_ id: String, project: String) async throws -> (chapter: StudioChapter, text: String) {
        let rows = try await db.read(
            """
            SELECT id, project_id, title, body, length, sha256, created_at, language FROM {chapters}
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
        chapter.language = try row.text("language")
        return (chapter, try row.text("body"))
    }

    /// A run, of whatever project; nil where there is none. For the run's own work.
    func run(_ id: String) async throws -> StoredRun? {
        try await db.read("SELECT \(StoredRun.columns) FROM {runs} WHERE tenant = :tenant AND id = ?1", id)
            .first.map { try StoredRun($0) }
    }

    /// A run of `project`.
    func run(_ id: String, in project: String) async throws -> StoredRun {
        guard let run = try await run(id), run.projectID == project else { throw DraftingError.notFound("run") }
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
