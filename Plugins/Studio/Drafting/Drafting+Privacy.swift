// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
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

        enum CodingKeys: String, CodingKey {
            case id, project, title, status
            case createdAt = "created_at"
        }
    }

    private struct Export: Encodable {
        var runs: [Run]
        var truncated: Bool
    }

    func export(_ request: PrivacyExportRequest, _ call: Call) async throws -> PrivacyExportResponse {
        let rows = try await Database(call, feature: Self.storage).read(
            """
            SELECT id, project_id, title, status, created_at FROM {runs} WHERE tenant = :tenant AND owner = ?1
            ORDER BY created_at DESC, id DESC LIMIT 501
            """, request.person)
        var budget = ExportBudget()
        let found = try rows.prefix(500).map { row in
            Run(
                id: try row.text("id"), project: try row.text("project_id"), title: try row.text("title"),
                status: try row.text("status"),
                createdAt: Date(timeIntervalSince1970: Double(try row.int("created_at")) / 1000).ISO8601Format())
        }
        let runs = try budget.fitting(found)
        let export = Export(runs: runs, truncated: rows.count > runs.count)
        let json = String(decoding: try JSONEncoder().encode(export), as: UTF8.self)
        return .with { $0.json = json }
    }

    func erase(_ request: PrivacyEraseRequest, _ call: Call) async throws -> PrivacyEraseResponse {
        .with { $0.kept = ["runs: work of their projects; who started them, under the pseudonym"] }
    }
}
