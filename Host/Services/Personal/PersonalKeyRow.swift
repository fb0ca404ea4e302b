// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
internal import SwiftProtobuf
public import TheatreContracts

/// The key of a person as it is in the database: of no use without the key source. One that was destroyed leaves its row,
/// without the key, so that none is made anew.
public struct PersonalKeyRow: Sendable, Hashable {
    /// usr_….
    public var person: String
    /// Version of the master key that wraps it.
    public var keyVersion: String
    /// The key, wrapped; empty once it is destroyed.
    public var wrapped: Data
    /// Milliseconds since 1970.
    public var createdAt: Int64
    /// When it was destroyed; 0 where it was not.
    public var destroyedAt: Int64

    /// What the wrapped key is bound to.
    public var associatedData: Data { PersonalEnvelope.keyData(person) }

    init(person: String, keyVersion: String, wrapped: Data, createdAt: Int64) {
        self.person = person
        self.keyVersion = keyVersion
        self.wrapped = wrapped
        self.createdAt = createdAt
        destroyedAt = 0
    }

    /// Reads a row of the queries here; nil where it is of another shape.
    public init?(_ row: SQLRow) {
        let kinds = row.values.map(\.kind)
        guard kinds.count == 5, case .text(let person) = kinds[0], case .text(let keyVersion) = kinds[1],
            case .blob(let wrapped) = kinds[2], case .integer(let createdAt) = kinds[3],
            case .integer(let destroyedAt) = kinds[4]
        else { return nil }
        self.init(person: person, keyVersion: keyVersion, wrapped: wrapped, createdAt: createdAt)
        self.destroyedAt = destroyedAt
    }

    private static let columns = "person, key_version, wrapped, created_at, destroyed_at"

    static func find(_ person: String) -> SQLQueryRequest {
        .with {
            $0.statement = statement("SELECT \(columns) FROM {personal_keys} WHERE person = ?1", [.text(person)])
        }
    }

    /// Keys that another version of the master key wraps, after a person's; at most 100.
    public static func wrapped(notBy keyVersion: String, after person: String = "") -> SQLQueryRequest {
        .with {
            $0.statement = statement(
                """
                SELECT \(columns) FROM {personal_keys} WHERE destroyed_at = 0 AND key_version <> ?1 AND person > ?2
                ORDER BY person LIMIT 100
                """, [.text(keyVersion), .text(person)])
        }
    }

    /// How many keys another version of the master key wraps.
    static func count(notBy keyVersion: String) -> SQLQueryRequest {
        .with {
            $0.statement = statement(
                "SELECT COUNT(*) FROM {personal_keys} WHERE destroyed_at = 0 AND key_version <> ?1",
                [.text(keyVersion)])
        }
    }

    /// Stores it, unless there is one.
    func insert() -> SQLCommitRequest {
        .with {
            $0.statements = [
                Self.statement(
                    """
                    INSERT INTO {personal_keys} (\(Self.columns)) VALUES (?1, ?2, ?3, ?4, 0)
                    ON CONFLICT (person) DO NOTHING
                    """, [.text(person), .text(keyVersion), .blob(wrapped), .integer(createdAt)])
            ]
        }
    }

    /// The same key wrapped anew, unless it was destroyed or wrapped anew meanwhile.
    public func rewrapped(_ wrapped: Data, by keyVersion: String) -> SQLCommitRequest {
        .with {
            $0.statements = [
                Self.statement(
                    """
                    UPDATE {personal_keys} SET wrapped = ?2, key_version = ?3
                    WHERE person = ?1 AND key_version = ?4 AND destroyed_at = 0
                    """, [.text(person), .blob(wrapped), .text(keyVersion), .text(self.keyVersion)])
            ]
        }
    }

    /// Erases a person's key, where it was not; leaves a row also where there was none. The second result says when.
    static func destroy(_ person: String, at time: Int64) -> SQLCommitRequest {
        .with {
            $0.statements = [
                statement(
                    """
                    INSERT INTO {personal_keys} (\(columns)) VALUES (?1, '', ?2, ?3, ?3) ON CONFLICT (person)
                    DO UPDATE SET key_version = '', wrapped = ?2, destroyed_at = ?3 WHERE {personal_keys}.destroyed_at = 0
                    """, [.text(person), .blob(Data()), .integer(time)]),
                statement("SELECT \(columns) FROM {personal_keys} WHERE person = ?1", [.text(person)]),
            ]
        }
    }

    private static func statement(_ sql: String, _ parameters: [SQLValue.OneOf_Kind]) -> SQLStatement {
        .with {
            $0.sql = sql
            $0.parameters = parameters.map { kind in SQLValue.with { $0.kind = kind } }
        }
    }
}
