// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin
import TheatreStorage

/// theatre.sql.v1.Maintenance.
extension SQLite: SQLMaintenanceContract {
    func status(_ request: SQLStatusRequest, _ call: Call) async throws -> SQLStatusResponse {
        if let damage { return try .with { $0.tell(of: damage, at: try file) } }
        return try await serving(call) { engine, scope in try await engine.status(for: scope) }
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
        if let damage {
            guard !request.path.isEmpty else { return .with { $0.findings = [damage.message] } }
            // What follows takes its time: not on the caller's thread.
            await Task.yield()
            return try translating { try Verification.run(onBackup: request.path) }
        }
        return try await serving(call) { engine, scope in try await engine.verify(request.path, for: scope) }
    }
}

extension SQLStatusResponse {
    /// A database that cannot be opened.
    fileprivate mutating func tell(of damage: PluginError, at path: String) {
        engine = "sqlite"
        version = DatabaseFile.engineVersion
        location = path
        bytes = DatabaseFile.bytes(path)
        reason = "\(damage.reason): \(damage.message)"
    }
}
