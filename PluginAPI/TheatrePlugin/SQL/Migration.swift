// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import TheatreContracts

/// One change of a schema. Once released it never changes; a later one changes what it did.
public struct Migration: Sendable, Hashable {
    /// Unique in the list: `001-entries`.
    public var name: String
    /// Statements, each ended by a semicolon, table names in braces. Every table has a column `tenant`, or a comment
    /// `-- global: {table}` says that it has none.
    public var sql: String
    /// `sqlite` or `postgresql` where it is for that engine only; empty for every engine.
    public var engine: String

    /// A change.
    public init(_ name: String, engine: String = "", _ sql: String) {
        self.name = name
        self.sql = sql
        self.engine = engine
    }

    var message: SQLMigration {
        .with {
            $0.name = name
            $0.sql = sql
            $0.engine = engine
        }
    }
}
