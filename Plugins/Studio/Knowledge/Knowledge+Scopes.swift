// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Which project a row is of: what the gateway decides by.
extension Knowledge {
    private static let projects = [
        "collection_id": "SELECT project_id FROM {collections} WHERE tenant = :tenant AND id = ?1",
        "import_id": """
        SELECT c.project_id FROM {imports} AS m JOIN {collections} AS c
            ON c.tenant = :tenant AND c.id = m.collection_id WHERE m.tenant = :tenant AND m.id = ?1
        """,
        "version_id": """
        SELECT c.project_id FROM {versions} AS v JOIN {collections} AS c
            ON c.tenant = :tenant AND c.id = v.collection_id WHERE v.tenant = :tenant AND v.id = ?1
        """,
        "chunk_id": """
        SELECT c.project_id FROM {chunks} AS k JOIN {versions} AS v ON v.tenant = :tenant AND v.id = k.version_id
            JOIN {collections} AS c ON c.tenant = :tenant AND c.id = v.collection_id
            WHERE k.tenant = :tenant AND k.id = ?1
        """,
    ]

    func resolveProject(
        _ request: AccessResolveProjectRequest, _ call: Call
    ) async throws -> AccessResolveProjectResponse {
        guard let statement = Self.projects[request.parameter],
            let row = try await Database(call, feature: Self.storage).read(statement, request.id).first
        else { throw KnowledgeError.notFound(String(request.parameter.prefix { $0 != "_" })) }
        let project = try row.text("project_id")
        return .with { $0.project = project }
    }
}
