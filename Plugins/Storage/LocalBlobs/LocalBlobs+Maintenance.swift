// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// theatre.blob.v1.Maintenance.
extension LocalBlobs: BlobMaintenanceContract {
    func status(_ request: BlobStatusRequest, _ call: Call) async throws -> BlobStatusResponse {
        let files = vault.files
        let name = ULID.next(prefix: "look", at: files.layer.now * 1000)
        let standing = try await vault.threads.run { files.look(name) }
        return .with {
            $0.location = files.root
            $0.writable = standing.fault == nil
            if let error = standing.fault?.pluginError { $0.reason = "\(error.reason): \(error.message)" }
            if let free = standing.free { $0.figures["free_bytes"] = free }
        }
    }
}
