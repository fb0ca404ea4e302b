// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin
import TheatreStorage

/// theatre.sql.v1.Maintenance.
extension PostgreSQL: SQLMaintenanceContract {
    func status(_ request: SQLStatusRequest, _ call: Call) async throws -> SQLStatusResponse {
        try await serving(call) { engine, _ in try await engine.status() }
    }

    func backup(
        _ request: SQLBackupRequest, _ call: Call, _ output: MessageSink<SQLBackupProgress>
    ) async throws {
        throw PluginError(
            .failedPrecondition, "sql.backup_elsewhere",
            "PostgreSQL has its own tools: pg_basebackup with archived WAL for the whole server, pg_dump for one database."
        )
    }

    func restore(
        _ request: SQLRestoreRequest, _ call: Call, _ output: MessageSink<SQLBackupProgress>
    ) async throws {
        throw PluginError(
            .failedPrecondition, "sql.backup_elsewhere",
            "PostgreSQL has its own tools: start from a pg_basebackup, or pg_restore into an empty database.")
    }

    func verify(_ request: SQLVerifyRequest, _ call: Call) async throws -> SQLVerifyResponse {
        guard request.path.isEmpty else {
            throw PluginError(
                .failedPrecondition, "sql.backup_elsewhere",
                "A backup of PostgreSQL is checked by pg_verifybackup, or by restoring it.", detail: "/path")
        }
        return try await serving(call) { engine, _ in try await engine.verify() }
    }
}
