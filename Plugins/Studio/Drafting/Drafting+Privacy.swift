// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PersonalExports
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What is held of a person here: which runs he started. Chapters and scenes are their projects'.
extension Drafting: PrivacyHolderContract {
    private struct Run: Encodable {
        var id: String
        var project: String
        var title: String
        var status: String
        var createdAt: String
    }

    func export(_ request: PrivacyExportRequest, _ call: Call) async throws -> PrivacyExportResponse {
        let database = Database(call, feature: Self.storage)
        let order = Keyset(.descending("created_at"), .descending("id"))
        let runs = ExportList("runs", by: order, numbers: ["created_at"]) { keyset, cursor in
            try await database.page(
                """
                SELECT id, project_id, title, status, created_at FROM {runs}
                WHERE tenant = :tenant AND owner = ?1
                """, by: keyset, after: cursor, limit: 200, request.person)
        } show: { row in
            Run(
                id: try row.text("id"), project: try row.text("project_id"), title: try row.text("title"),
                status: try row.text("status"), createdAt: PersonalExport.time(try row.int("created_at")))
        }
        return try await PersonalExport(runs).answer(request)
    }

    func erase(_ request: PrivacyEraseRequest, _ call: Call) async throws -> PrivacyEraseResponse {
        .with { $0.kept = ["runs: work of their projects; who started them, under the pseudonym"] }
    }
}
