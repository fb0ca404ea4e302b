// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin
import TheatreStorage

/// theatre.sql.v1.Maintenance.
extension SQLite: SQLMaintenanceContract {
    func status(_ request: SQLStatusRequest, _ call: Call) async throws -> SQLStatusResponse {
        try await serving(call) { engine, scope in try await engine.status(for: scope) }
    }

    func backup(_ request: SQLBackupRequest, _ call: Call, _ output: MessageSink<SQLBackupProgress>) async throws {
        try await serving(call) { engine, scope in
            try await engine.backup(to: request.path, for: scope) { try await output.send($0) }
        }
    }

    func restore(_ request: SQLRestoreRequest, _ call: Call, _ output: MessageSink<SQLBackupProgress>) async throws {
        let progress = try await replacing({ try $0.check() }, request.path)
        try await output.send(progress)
    }

    func verify(_ request: SQLVerifyRequest, _ call: Call) async throws -> SQLVerifyResponse {
        try await serving(call) { engine, scope in try await engine.verify(request.path, for: scope) }
    }
}
