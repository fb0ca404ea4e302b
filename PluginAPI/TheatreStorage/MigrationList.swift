// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreContracts

/// A caller's list of migrations, compared with what was applied.
public struct MigrationList: Sendable {
    /// A migration with its text as the engine gets it.
    public struct Item: Sendable {
        /// What is recorded of it.
        public var entry: MigrationRows.Entry
        /// Nil where it is for another engine.
        public var text: SQLText?
        /// Its place in the list, from 0.
        public var place: Int
    }

    /// In order.
    public let items: [Item]
    /// Tables that comments of any of them declare global, in lower case and without prefix.
    public let globals: Set<String>

    /// Reads a list; `digest` is SHA-256.
    ///
    /// INVALID_ARGUMENT `sql.migration_name`, `sql.migration_engine`, `sql.not_portable` and what ``SQLText`` refuses, with
    /// detail `/migrations/N`.
    public init(
        _ list: [SQLMigration], in namespace: Namespace, _ dialect: Dialect, digest: ([UInt8]) -> [UInt8]
    ) throws(StorageError) {
        try Self.checkNames(list)
        var items: [Item] = []
        var globals: Set<String> = []
        for (place, migration) in list.enumerated() {
            let entry = MigrationRows.Entry(
                name: migration.name, engine: migration.engine,
                digest: digest(Array("\(migration.engine)\n\(migration.sql)".utf8)))
            var text: SQLText?
            if migration.engine.isEmpty || migration.engine == dialect.rawValue {
                do throws(StorageError) {
                    text = try SQLText(
                        migration.sql, in: namespace, for: .migration, dialect,
                        engineSpecific: !migration.engine.isEmpty)
                } catch {
                    throw error.within("Migration \(migration.name)").at("/migrations/\(place)")
                }
            }
            globals.formUnion(text?.globals ?? [])
            items.append(Item(entry: entry, text: text, place: place))
        }
        self.items = items
        self.globals = globals
    }

    private static func checkNames(_ list: [SQLMigration]) throws(StorageError) {
        var names: Set<String> = []
        for (place, migration) in list.enumerated() {
            guard !migration.name.isEmpty, names.insert(migration.name).inserted else {
                throw StorageError(
                    .invalidArgument, "sql.migration_name",
                    "\"\(migration.name)\" must be a name of its own in the list.",
                    detail: "/migrations/\(place)/name")
            }
            guard migration.engine.isEmpty || Dialect(rawValue: migration.engine) != nil else {
                throw StorageError(
                    .invalidArgument, "sql.migration_engine",
                    "\"\(migration.engine)\" is no engine; sqlite and postgresql are.",
                    detail: "/migrations/\(place)/engine")
            }
        }
    }

    /// What is still to be applied; what was applied must be the beginning of the list, unchanged.
    ///
    /// FAILED_PRECONDITION `sql.migration_missing`, `sql.migration_order`, `sql.migration_edited`.
    public func pending(
        after applied: [MigrationRows.Entry], in namespace: Namespace
    ) throws(StorageError) -> ArraySlice<Item> {
        for (place, entry) in applied.enumerated() {
            guard let found = items.firstIndex(where: { $0.entry.name == entry.name }) else {
                throw StorageError(
                    .failedPrecondition, "sql.migration_missing",
                    "Migration \(entry.name) was applied to \(namespace.name) and is missing from the list; put it back."
                )
            }
            guard found == place else {
                throw StorageError(
                    .failedPrecondition, "sql.migration_order",
                    "Migration \(entry.name) was applied as number \(place + 1) and is number \(found + 1) of the list."
                )
            }
            guard items[place].entry == entry else {
                throw StorageError(
                    .failedPrecondition, "sql.migration_edited",
                    "Migration \(entry.name) has changed since it was applied; restore it and add a new one.",
                    detail: "/migrations/\(place)/sql")
            }
        }
        return items[applied.count...]
    }

    /// The error for a table of the namespace that has neither a tenant column nor a declaration that it is global.
    public static func noTenant(_ table: String) -> StorageError {
        StorageError(
            .invalidArgument, "sql.no_tenant",
            "Table \(table) has no column tenant; add one, or say -- global: {\(table)} in the migration.")
    }
}
