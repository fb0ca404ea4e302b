// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
internal import TheatreContracts

/// A row of the timers' table.
struct Timer: Sendable, Hashable {
    /// Which timer: one of an instance's.
    struct Key: Sendable, Hashable {
        var instance: String
        var name: String
    }

    var key: Key
    /// Of the call that set it; it fires on behalf of it.
    var tenant: String
    /// When it was to fire, milliseconds since 1970.
    var at: Int64
    var payload: Data
    /// Attempts made.
    var attempt: Int
    /// When it fires next.
    var nextAt: Int64
    /// Another for every time it was set: what fired is told from what was set meanwhile.
    var version: Int64

    private static let columns = "instance, name, tenant, at, payload, attempt, next_at, version"

    /// The timers that fire next, in order.
    static func next(_ limit: Int) -> SQLQueryRequest {
        SQLQueryRequest.with {
            $0.statement = statement(
                "SELECT \(columns) FROM {timers} ORDER BY next_at LIMIT ?1", [.integer(Int64(limit))])
        }
    }

    /// Reads a row of ``next(_:)``; nil where it is of another shape.
    init?(_ row: SQLRow) {
        let kinds = row.values.map(\.kind)
        guard kinds.count == 8, case .text(let instance) = kinds[0], case .text(let name) = kinds[1],
            case .text(let tenant) = kinds[2], case .integer(let at) = kinds[3], case .blob(let payload) = kinds[4],
            case .integer(let attempt) = kinds[5], case .integer(let nextAt) = kinds[6],
            case .integer(let version) = kinds[7]
        else { return nil }
        self.init(
            key: Key(instance: instance, name: name), tenant: tenant, at: at, payload: payload,
            attempt: Int(clamping: attempt), nextAt: nextAt, version: version)
    }

    init(
        key: Key, tenant: String, at: Int64, payload: Data, attempt: Int = 0, nextAt: Int64, version: Int64
    ) {
        self.key = key
        self.tenant = tenant
        self.at = at
        self.payload = payload
        self.attempt = attempt
        self.nextAt = nextAt
        self.version = version
    }

    /// Sets the timer, or moves the one of the same key.
    func upsert() -> SQLCommitRequest {
        Self.commit(
            """
            INSERT INTO {timers} (\(Self.columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            ON CONFLICT (instance, name) DO UPDATE SET tenant = excluded.tenant, at = excluded.at,
            payload = excluded.payload, attempt = excluded.attempt, next_at = excluded.next_at,
            version = excluded.version
            """,
            [
                .text(key.instance), .text(key.name), .text(tenant), .integer(at), .blob(payload),
                .integer(Int64(attempt)), .integer(nextAt), .integer(version),
            ])
    }

    /// Removes it if it was not set anew.
    func delete() -> SQLCommitRequest {
        Self.commit(
            "DELETE FROM {timers} WHERE instance = ?1 AND name = ?2 AND version = ?3",
            [.text(key.instance), .text(key.name), .integer(version)])
    }

    /// Puts it off if it was not set anew.
    func postpone(to time: Int64) -> SQLCommitRequest {
        Self.commit(
            "UPDATE {timers} SET attempt = ?4, next_at = ?5 WHERE instance = ?1 AND name = ?2 AND version = ?3",
            [.text(key.instance), .text(key.name), .integer(version), .integer(Int64(attempt) + 1), .integer(time)])
    }

    /// Removes whatever has this key.
    static func cancel(_ key: Key) -> SQLCommitRequest {
        commit(
            "DELETE FROM {timers} WHERE instance = ?1 AND name = ?2", [.text(key.instance), .text(key.name)])
    }

    private static func commit(_ sql: String, _ parameters: [SQLValue.OneOf_Kind]) -> SQLCommitRequest {
        SQLCommitRequest.with { $0.statements = [statement(sql, parameters)] }
    }

    private static func statement(_ sql: String, _ parameters: [SQLValue.OneOf_Kind]) -> SQLStatement {
        SQLStatement.with { statement in
            statement.sql = sql
            statement.parameters = parameters.map { kind in SQLValue.with { $0.kind = kind } }
        }
    }
}
