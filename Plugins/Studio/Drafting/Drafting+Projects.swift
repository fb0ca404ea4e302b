// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

extension Drafting {
    func createProject(_ request: StudioCreateProjectRequest, _ call: Call) async throws -> StudioProject {
        let owner = try Self.owner(call)
        guard request.name.contains(where: { !$0.isWhitespace }), request.name.unicodeScalars.count <= 120 else {
            throw DraftingError.text("/name", 120)
        }
        var project = StudioProject()
        project.createdAt = call.host.now
        project.id = ULID.next(prefix: "prj", at: project.createdAt)
        project.name = request.name
        project.language = request.language.isEmpty ? "zh" : request.language
        let made = project
        try await DraftingStore(call).db.commit { batch in
            batch.run(
                """
                INSERT INTO {projects} (tenant, id, owner, name, language, created_at)
                VALUES (:tenant, ?1, ?2, ?3, ?4, ?5)
                """, expect: 1, made.id, owner, made.name, made.language, made.createdAt)
            try batch.answer(made)
        }
        return made
    }

    func listProjects(_ request: StudioListProjectsRequest, _ call: Call) async throws -> StudioProjects {
        let owner = try Self.owner(call)
        guard request.limit <= 200 else { throw DraftingError.limit() }
        let limit = request.limit == 0 ? 50 : Int(request.limit)
        return try await DraftingStore(call).projects(owner: owner, limit: limit, cursor: request.cursor)
    }

    func addChapter(_ request: StudioAddChapterRequest, _ call: Call) async throws -> StudioChapter {
        let owner = try Self.owner(call)
        let store = DraftingStore(call)
        let project = try await store.project(request.projectID, owner: owner)
        let length = request.text.unicodeScalars.count
        guard request.title.contains(where: { !$0.isWhitespace }), request.title.unicodeScalars.count <= 200 else {
            throw DraftingError.text("/title", 200)
        }
        guard request.text.contains(where: { !$0.isWhitespace }), length <= 100_000 else {
            throw DraftingError.text("/text", 100_000)
        }
        var chapter = StudioChapter()
        chapter.createdAt = call.host.now
        chapter.id = ULID.next(prefix: "chp", at: chapter.createdAt)
        chapter.projectID = project.id
        chapter.title = request.title
        chapter.length = Int64(length)
        chapter.sha256 = Hex.encode(Digest.sha256(request.text.utf8))
        let made = chapter
        try await store.db.commit { batch in
            batch.run(
                """
                INSERT INTO {chapters} (tenant, id, project_id, title, body, length, sha256, created_at)
                VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7)
                """, expect: 1, made.id, made.projectID, made.title, request.text, made.length, made.sha256,
                made.createdAt)
            try batch.answer(made)
        }
        return made
    }
}
