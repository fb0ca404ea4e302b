// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatreStorage

/// Where a namespace's tables live on the server, and as whom its statements run.
struct NamespaceRealm: Sendable, Hashable {
    /// The schema.
    var schema: String
    /// The role; nil where namespaces have none.
    var role: String?

    /// What comes before a caller's statements in their transaction: they see one schema, as its owner.
    func enter(reading: Bool, statementMilliseconds: Int, idleMilliseconds: Int) -> Step {
        let sql =
            "SELECT set_config('search_path', $1, true), set_config('role', $2, true), "
            + "set_config('statement_timeout', $3, true), set_config('idle_in_transaction_session_timeout', $4, true)"
            + (reading ? ", set_config('transaction_read_only', 'on', true)" : "")
        return Step(
            sql,
            [
                SQLValue("\"\(schema)\""), SQLValue(role ?? "none"), SQLValue(String(statementMilliseconds)),
                SQLValue(String(idleMilliseconds)),
            ])
    }

    /// What comes before statements on the host's own tables.
    static func enterHost(_ schema: String) -> Step {
        Step(
            "SELECT set_config('role', 'none', true), set_config('search_path', $1, true)", [SQLValue("\"\(schema)\"")])
    }

    /// A name of at most 63 bytes, PostgreSQL's limit; what is longer ends in a digest of the whole.
    static func name(_ parts: [String], digest: ([UInt8]) -> [UInt8]) -> String {
        let whole = parts.joined(separator: "_")
        guard whole.utf8.count > 63 else { return whole }
        let tail = digest(Array(whole.utf8)).prefix(8).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return whole.prefix(46) + "_" + tail.joined()
    }
}
