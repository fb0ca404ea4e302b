// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

extension Drafting {
    func addChapter(_ request: StudioAddChapterRequest, _ call: Call) async throws -> StudioChapter {
        let project = try Self.project(call, named: request.projectID)
        let length = request.text.unicodeScalars.count
        guard request.title.contains(where: { !$0.isWhitespace }), request.title.unicodeScalars.count <= 200 else {
            throw DraftingError.text("/title", 200)
        }
        guard request.text.contains(where: { !$0.isWhitespace }), length <= 100_000 else {
            throw DraftingError.text("/text", 100_000)
        }
        let language = request.language.isEmpty ? "zh" : request.language
        guard LanguageTag.isWellFormed(language) else { throw DraftingError.language() }
        var chapter = StudioChapter()
        chapter.createdAt = call.host.now
        chapter.id = ULID.next(prefix: "chp", at: chapter.createdAt)
        chapter.projectID = project
        chapter.title = request.title
        chapter.length = Int64(length)
        chapter.sha256 = Hex.encode(Digest.sha256(request.text.utf8))
        chapter.language = language
        let made = chapter
        try await DraftingStore(call).db.commit { batch in
            batch.run(
                """
                INSERT INTO {chapters} (tenant, id, project_id, title, body, length, sha256, created_at, language)
                VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                """, expect: 1, made.id, made.projectID, made.title, request.text, made.length, made.sha256,
                made.createdAt, made.language)
            try batch.answer(made)
        }
        return made
    }
}
