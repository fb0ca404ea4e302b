// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Which project a row is of: what the gateway decides by.
extension Drafting: AccessScopesContract {
    func resolveProject(
        _ request: AccessResolveProjectRequest, _ call: Call
    ) async throws -> AccessResolveProjectResponse {
        guard request.parameter == "run_id", let run = try await DraftingStore(call).run(request.id) else {
            throw DraftingError.notFound("run")
        }
        return .with { $0.project = run.projectID }
    }
}
