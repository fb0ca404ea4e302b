// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts
import TheatrePlugin

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct SQLiteConfiguration: Decodable, Sendable {
    /// The file; empty for `theatre.db` in the state folder, `:temporary:` for one that ends with the instance.
    var path: String
    var readers: Int
    var transactionTimeoutMilliseconds: Int
    var answersRetentionDays: Int

    enum CodingKeys: String, CodingKey {
        case path, readers
        case transactionTimeoutMilliseconds = "transaction_timeout_ms"
        case answersRetentionDays = "answers_retention_days"
    }

    var options: EngineOptions {
        EngineOptions(
            readers: readers, transactionTimeoutMilliseconds: transactionTimeoutMilliseconds,
            answersRetentionDays: answersRetentionDays)
    }

    /// Where the file is, and whether it ends with the instance.
    func file(in environment: HostEnvironment) throws -> (path: String, isTemporary: Bool) {
        if path == ":temporary:" {
            let folder = FileManager.default.temporaryDirectory
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
