// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
internal import SwiftProtobuf
public import TheatreContracts

/// A version of a stored secret as it is in the database: nothing here can be read without the key source.
public struct SecretRow: Sendable, Hashable {
    /// Whose, and its name.
    public var address: SecretAddress
    /// From 1, never used again.
    public var version: Int64
    /// Version of the master key that wraps the data key.
    public var keyVersion: String
    /// The data key, wrapped.
    public var wrapped: Data
    /// The value, encrypted by the data key; empty once it is erased.
    public var sealed: Data
    /// Milliseconds since 1970.
    public var createdAt: Int64
    /// Who put it.
    public var createdBy: String
    /// When it was deleted; 0 where it was not.
    public var deletedAt: Int64

    /// A new version.
    public init(
        _ address: SecretAddress, version: Int64, keyVersion: String, wrapped: Data, sealed: Data, createdAt: Int64,
        createdBy: String
    ) {
        self.address = address
        self.version = version
        self.keyVersion = keyVersion
        self.wrapped = wrapped
        self.sealed = sealed
        self.createdAt = createdAt
        self.createdBy = createdBy
        deletedAt = 0
    }

    /// Reads a row of the queries here; nil where it is of another shape.
    public init?(_ row: SQLRow) {
        let kinds = row.values.map(\.kind)
        guard kinds.count >= 11, case .text(let tenant) = kinds[0], case .text(let project) = kinds[1],
            case .text(let owner) = kinds[2], case .text(let name) = kinds[3], case .integer(let version) = kinds[4],
            case .text(let keyVersion) = kinds[5], case .blob(let wrapped) = kinds[6],
            case .blob(let sealed) = kinds[7], case .integer(let createdAt) = kinds[8],
            case .text(let createdBy) = kinds[9], case .integer(let deletedAt) = kinds[10]
        else { return nil }
        self.init(
            SecretAddress(tenant: tenant, project: project, owner: owner, name: name), version: version,
            keyVersion: keyVersion, wrapped: wrapped, sealed: sealed, createdAt: createdAt, createdBy: createdBy)
        self.deletedAt = deletedAt
    }

    static let columns = """
        tenant, project, owner, name, version, key_version, wrapped, sealed, created_at, created_by, deleted_at
        """

    private static let place = "tenant = ?1 AND project = ?2 AND owner = ?3 AND name = ?4"

    /// All versions, newest first.
    public static func versions(of address: SecretAddress, limit: Int = 1000) -> SQLQueryRequest {
        query(
            "SELECT \(columns) FROM {secrets} WHERE \(place) ORDER BY version DESC LIMIT ?5",
            parts(address) + [.integer(Int64(limit))])
    }

    /// The newest version of every secret, by name; deleted ones too.
    public static func newest() -> SQLQueryRequest {
        query(
            """
            SELECT \(columns) FROM {secrets} AS s WHERE version = (SELECT MAX(o.version) FROM {secrets} AS o
            WHERE o.tenant = s.tenant AND o.project = s.project AND o.owner = s.owner AND o.name = s.name)
            ORDER BY tenant, project, owner, name LIMIT 10000
            """, [])
    }

    /// The newest version of each secret of a tenant that is there, by name; one more column says how many are kept.
    static func newest(of tenant: String) -> SQLQueryRequest {
        let same = "o.tenant = s.tenant AND o.project = s.project AND o.owner = s.owner AND o.name = s.name"
        return query(
            """
            SELECT \(columns), (SELECT COUNT(*) FROM {secrets} AS o WHERE \(same) AND o.deleted_at = 0)
            FROM {secrets} AS s WHERE tenant = ?1 AND deleted_at = 0
            AND version = (SELECT MAX(o.version) FROM {secrets} AS o WHERE \(same))
            ORDER BY owner, project, name LIMIT 10000
            """, [.text(tenant)])
    }

    /// Versions whose data key another master key version wraps; at most 100, in order.
    ///
    /// - Parameter last: those after it.
    public static func wrapped(notBy keyVersion: String, after last: SecretRow? = nil) -> SQLQueryRequest {
        var parameters: [SQLValue.OneOf_Kind] = [.text(keyVersion)]
        var later = ""
        if let last {
            later = "AND (tenant, project, owner, name, version) > (?2, ?3, ?4, ?5, ?6)"
            parameters += parts(last.address) + [.integer(last.version)]
        }
        return query(
            """
            SELECT \(columns) FROM {secrets} WHERE deleted_at = 0 AND key_version <> ?1 \(later)
            ORDER BY tenant, project, owner, name, version LIMIT 100
            """, parameters)
    }

    /// How many versions' data keys another master key version wraps.
    public static func count(notBy keyVersion: String) -> SQLQueryRequest {
        query("SELECT COUNT(*) FROM {secrets} WHERE deleted_at = 0 AND key_version <> ?1", [.text(keyVersion)])
    }

    /// Stores it; ALREADY_EXISTS `sql.unique` where somebody was first.
    public func insert() -> SQLCommitRequest {
        Self.commit(
            """
            INSERT INTO {secrets} (\(Self.columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            """,
            Self.parts(address) + [
                .integer(version), .text(keyVersion), .blob(wrapped), .blob(sealed), .integer(createdAt),
                .text(createdBy), .integer(deletedAt),
            ], expect: 1)
    }

    /// The same version with its data key wrapped anew, unless it was deleted or wrapped anew meanwhile.
    public func rewrapped(_ wrapped: Data, by keyVersion: String) -> SQLCommitRequest {
        Self.commit(
            """
            UPDATE {secrets} SET wrapped = ?6, key_version = ?7
            WHERE \(Self.place) AND version = ?5 AND key_version = ?8 AND deleted_at = 0
            """,
            Self.parts(address) + [.integer(version), .blob(wrapped), .text(keyVersion), .text(self.keyVersion)])
    }

    /// Erases every version; their numbers stay, so that none is given out again.
    public static func delete(_ address: SecretAddress, at time: Int64) -> SQLCommitRequest {
        commit(
            "UPDATE {secrets} SET wrapped = ?6, sealed = ?6, deleted_at = ?5 WHERE \(place) AND deleted_at = 0",
            parts(address) + [.integer(time), .blob(Data())])
    }

    private static func parts(_ address: SecretAddress) -> [SQLValue.OneOf_Kind] {
        [.text(address.tenant), .text(address.project), .text(address.owner), .text(address.name)]
    }

    private static func query(_ sql: String, _ parameters: [SQLValue.OneOf_Kind]) -> SQLQueryRequest {
        .with { $0.statement = statement(sql, parameters) }
    }

    private static func commit(
        _ sql: String, _ parameters: [SQLValue.OneOf_Kind], expect: UInt32? = nil
    ) -> SQLCommitRequest {
        .with { request in
            var statement = statement(sql, parameters)
            if let expect { statement.expect = expect }
            request.statements = [statement]
        }
    }

    private static func statement(_ sql: String, _ parameters: [SQLValue.OneOf_Kind]) -> SQLStatement {
        .with {
            $0.sql = sql
            $0.parameters = parameters.map { kind in SQLValue.with { $0.kind = kind } }
        }
    }
}
