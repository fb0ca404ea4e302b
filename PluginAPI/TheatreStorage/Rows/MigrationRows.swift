// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
public import TheatreContracts

/// What is recorded of migrations.
public enum MigrationRows {
    /// An applied or skipped migration.
    public struct Entry: Sendable, Hashable {
        /// Unique in its list.
        public var name: String
        /// The engine it is for; empty for all.
        public var engine: String
        /// SHA-256 of engine and text.
        public var digest: [UInt8]

        /// An entry.
        public init(name: String, engine: String, digest: [UInt8]) {
            self.name = name
            self.engine = engine
            self.digest = digest
        }
    }

    /// In the order they were applied in. The host's own tables have the empty namespace, which no caller has.
    public static func applied(namespace: String) -> HostPlan<[Entry]> {
        HostPlan([
            HostStatement(
                "SELECT name, engine, digest FROM host__migrations WHERE namespace = ?1 ORDER BY place",
                [SQLValue(namespace)])
        ]) { (results: [SQLRows]) throws(StorageError) in
            results[0].rows.map {
                Entry(name: $0.values[0].text, engine: $0.values[1].text, digest: Array($0.values[2].blob))
            }
        }
    }

    /// Records one as applied; `place` counts from 0, `at` is in milliseconds since 1970.
    public static func record(_ entry: Entry, namespace: String, place: Int, at now: Int64) -> HostStatement {
        HostStatement(
            """
            INSERT INTO host__migrations (namespace, place, name, engine, digest, applied_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """,
            [
                SQLValue(namespace), SQLValue(Int64(place)), SQLValue(entry.name), SQLValue(entry.engine),
                SQLValue(Data(entry.digest)), SQLValue(now),
            ])
    }
}
