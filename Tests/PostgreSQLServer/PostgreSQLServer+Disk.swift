// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc

/// Faults of the disk under single tables and indexes, which need no privilege.
extension PostgreSQLServer {
    /// From now on there is no room for `table`, which must be empty: its file is `/dev/full`, where every write fails as
    /// on a full disk. Connections to the database end, so that none has the old file open.
    public func takeRoom(from table: String, in database: String) async throws {
        try await replaceFile(of: table, in: database) { path in
            guard symlink("/dev/full", path) == 0 else { throw ServerFailure("\(path) cannot be linked.") }
        }
    }

    /// There is room again, and `table` is empty.
    public func giveRoom(to table: String, in database: String) async throws {
        try await replaceFile(of: table, in: database) { path in
            try Data().write(to: URL(filePath: path))
            chmod(path, 0o600)
            try Programs.handOver(path)
        }
    }

    private func replaceFile(
        of table: String, in database: String, _ make: @escaping @Sendable (String) throws -> Void
    ) async throws {
        let path = try await file(of: table, in: database)
        try await WorkThread.shared.run {
            guard unlink(path) == 0 else { throw ServerFailure("\(path) cannot be removed.") }
            try make(path)
        }
        try await sql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '\(database)'")
    }

    /// Overwrites the whole file of a table or an index while the server is down, as a failing disk does.
    public func damage(_ relation: String, in database: String, with byte: UInt8) async throws {
        let path = try await file(of: relation, in: database)
        try await stop()
        try await WorkThread.shared.run {
            let size = try Data(contentsOf: URL(filePath: path)).count
            let file = open(path, O_WRONLY | O_CLOEXEC)
            guard file >= 0 else { throw ServerFailure("\(path) cannot be written.") }
            defer { close(file) }
            let bytes = [UInt8](repeating: byte, count: size)
            guard size > 0, pwrite(file, bytes, size, 0) == size else { throw ServerFailure("\(path) is not damaged.") }
        }
        try await restart()
    }

    private func file(of relation: String, in database: String) async throws -> String {
        "\(data)/\(try await sql("SELECT pg_relation_filepath('\(relation)')", in: database))"
    }
}
