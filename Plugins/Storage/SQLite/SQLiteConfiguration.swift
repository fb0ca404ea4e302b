// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts
import TheatrePlugin

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct SQLiteConfiguration: Decodable, Sendable {
    /// The file; empty for `theatre.db` in the state folder, `:temporary:` for one that ends with the instance, `:memory:`
    /// for such a one in memory.
    var path: String
    var readers: Int
    var transactionTimeoutMilliseconds: Int
    var answersRetentionDays: Int
    var busyTimeoutMilliseconds: Int
    var groupCommitMilliseconds: Int
    /// `refuse` or `off`.
    var tenantCheck: String

    enum CodingKeys: String, CodingKey {
        case path, readers
        case transactionTimeoutMilliseconds = "transaction_timeout_ms"
        case answersRetentionDays = "answers_retention_days"
        case busyTimeoutMilliseconds = "busy_timeout_ms"
        case groupCommitMilliseconds = "group_commit_ms"
        case tenantCheck = "tenant_check"
    }

    /// A file system in memory, where there is one.
    private static let memory = "/dev/shm"

    var options: EngineOptions {
        var options = EngineOptions()
        options.readers = readers
        options.transactionTimeoutMilliseconds = transactionTimeoutMilliseconds
        options.answersRetentionDays = answersRetentionDays
        options.busyMilliseconds = busyTimeoutMilliseconds
        options.group.nanoseconds = UInt64(groupCommitMilliseconds) * 1_000_000
        options.group.members = groupCommitMilliseconds == 0 ? 1 : options.group.members
        options.checksTenants = tenantCheck == "refuse"
        return options
    }

    /// Where the file is, and whether it ends with the instance.
    func file(in environment: HostEnvironment) throws -> (path: String, isTemporary: Bool) {
        if path == ":temporary:" || path == ":memory:" {
            // A database of SQLite's own kind in memory has no write-ahead log, so its readers would wait for its writer.
            let isInMemory = path == ":memory:" && FileManager.default.isWritableFile(atPath: Self.memory)
            let folder = isInMemory ? URL(filePath: Self.memory) : FileManager.default.temporaryDirectory
            return (folder.appending(path: "theatre-\(UUID().uuidString).db").path, true)
        }
        if !path.isEmpty { return (path, false) }
        guard !environment.stateFolder.isEmpty else {
            throw PluginError.invalid(
                "/path", "sqlite.no_path", "There is no state folder; grant one with files: state, or set path.")
        }
        return ("\(environment.stateFolder)/theatre.db", false)
    }
}
