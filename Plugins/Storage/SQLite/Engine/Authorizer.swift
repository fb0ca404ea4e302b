// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Glibc
import TheatreStorage

/// What a connection may do at the moment.
///
/// Set once as the connection's authorizer, since setting it again expires every statement; only its values change. They
/// must be right around every step and not only at the first prepare, because SQLite prepares again after a change of
/// the schema.
final class Authorizer {
    enum Mode: Hashable {
        /// The engine's own statements.
        case engine
        case read, write, migrate
    }

    var mode = Mode.engine
    var namespace = Namespace.host
    /// What was refused last, since SQLite only says that something was.
    var refusal: StorageError?
    /// Asked now and then while a statement runs; false interrupts it.
    var isWanted: (() -> Bool)?
    /// How often a statement is asked before it is interrupted; nil: as often as it takes.
    var patience: Int?
    /// How long a lock that another connection holds is waited for, as long as somebody wants what it is needed for.
    var lockPatience: UInt64 = 0
    private var lockWaitBegan: UInt64 = 0

    /// The verdict on one action, SQLITE_OK or SQLITE_DENY.
    func verdict(_ action: Int32, _ first: String?, _ second: String?, database: String?) -> Int32 {
        if mode == .engine { return SQLITE_OK }
        guard let refused = refusal(action, first, second, database) else { return SQLITE_OK }
        refusal = refused
        return SQLITE_DENY
    }

    private func refusal(_ action: Int32, _ first: String?, _ second: String?, _ database: String?) -> StorageError? {
        switch action {
        case SQLITE_SELECT, SQLITE_RECURSIVE: nil
        case SQLITE_FUNCTION: function(second ?? "")
        case SQLITE_READ: read(first ?? "", column: second ?? "", database)
        case SQLITE_INSERT, SQLITE_UPDATE, SQLITE_DELETE: change(first ?? "", database)
        // The full-text module asks for this one itself.
        case SQLITE_PRAGMA where first == "data_version" && second == nil: nil
        case SQLITE_CREATE_TABLE, SQLITE_DROP_TABLE, SQLITE_CREATE_VIEW, SQLITE_DROP_VIEW, SQLITE_REINDEX:
            schema([first], database)
        case SQLITE_CREATE_INDEX, SQLITE_DROP_INDEX, SQLITE_CREATE_TRIGGER, SQLITE_DROP_TRIGGER:
            schema([first, second], database)
        case SQLITE_ALTER_TABLE: schema([second], first)
        case SQLITE_CREATE_VTABLE, SQLITE_DROP_VTABLE: virtualTable(first, module: second, database)
        default: Self.refused(Self.names[action] ?? "This")
        }
    }

    private func read(_ table: String, column: String, _ database: String?) -> StorageError? {
        if namespace.owns(table), database == nil || database == "main" { return nil }
        if Self.tableFunctions.contains(asciiLowercased(table)) { return nil }
        if isEngineTable(table), mode == .migrate || column == "ROWID" { return nil }
        // Where no column is read SQLite names what the FROM clause says, which may be a common table expression.
        // No table lacks a namespace's double underscore, so a name without one can only be that.
        if column.isEmpty, database == nil, !table.contains("__"), !isEngineTable(table), !Self.isPragma(table) {
            return nil
        }
        return foreign(table)
    }

    private func change(_ table: String, _ database: String?) -> StorageError? {
        // Declaring a virtual table, at its first use, looks like an update of the schema; a real one cannot be prepared.
        if isEngineTable(table), mode == .migrate || asciiLowercased(table) == "sqlite_master" { return nil }
        guard namespace.owns(table), database == nil || database == "main" else { return foreign(table) }
        guard mode == .read else { return nil }
        return StorageError(.invalidArgument, "sql.not_a_query", "A query only reads; send this statement in a commit.")
    }

    private func schema(_ objects: [String?], _ database: String?) -> StorageError? {
        guard mode == .migrate else { return Self.refused("A change of the schema outside a migration") }
        for case let object? in objects where !namespace.owns(object) && !object.hasPrefix("sqlite_autoindex_") {
            return foreign(object)
        }
        return database == nil || database == "main" ? nil : Self.refused("A temporary table")
    }

    private func virtualTable(_ table: String?, module: String?, _ database: String?) -> StorageError? {
        guard let module, ["fts5", "rtree"].contains(asciiLowercased(module)) else {
            return Self.refused("The module \(module ?? "")")
        }
        return schema([table], database)
    }

    private func function(_ name: String) -> StorageError? {
        Self.deniedFunctions.contains(asciiLowercased(name)) ? Self.refused("The function \(name)") : nil
    }

    /// Only the engine's own statements reach these by name: a caller's text that names one is refused before.
    private func isEngineTable(_ table: String) -> Bool { asciiLowercased(table).hasPrefix("sqlite_") }

    private static func isPragma(_ table: String) -> Bool {
        let name = asciiLowercased(table)
        return name.hasPrefix("pragma_") || ["dbstat", "bytecode", "tables_used"].contains(name)
    }

    /// A table of another namespace is refused alike whether it exists or not, so that nobody learns which do.
    func foreignTable(missing message: String) -> StorageError? {
        let start = "no such table: "
        guard mode != .engine, message.hasPrefix(start) else { return nil }
        var table = message.dropFirst(start.count)
        if table.hasPrefix("main.") { table = table.dropFirst(5) }
        return table.contains("__") && !namespace.owns(String(table)) ? foreign(String(table)) : nil
    }

    private func foreign(_ table: String) -> StorageError {
        StorageError(
            .permissionDenied, "sql.foreign_table",
            "\"\(table)\" is not a table of \(namespace.name); name your own as {table}.")
    }

    private static func refused(_ what: String) -> StorageError {
        StorageError(.permissionDenied, "sql.refused_statement", "\(what) is not allowed here.")
    }

    private static let tableFunctions: Set<String> = ["json_each", "json_tree"]
    private static let deniedFunctions: Set<String> = [
        "load_extension", "fts3_tokenizer", "readfile", "writefile", "edit",
    ]
    private static let names: [Int32: String] = [
        SQLITE_ATTACH: "ATTACH", SQLITE_DETACH: "DETACH", SQLITE_PRAGMA: "PRAGMA",
        SQLITE_TRANSACTION: "BEGIN or COMMIT",
        SQLITE_SAVEPOINT: "SAVEPOINT", SQLITE_ANALYZE: "ANALYZE", SQLITE_CREATE_TEMP_TABLE: "A temporary table",
        SQLITE_CREATE_TEMP_VIEW: "A temporary view", SQLITE_CREATE_TEMP_TRIGGER: "A temporary trigger",
        SQLITE_CREATE_TEMP_INDEX: "A temporary index",
    ]

    private func goesOn() -> Bool {
        guard let left = patience else { return isWanted?() != false }
        patience = left - 1
        return left > 1
    }

    /// Whether a lock is looked at once more, after a little while; `looks` were taken before this one.
    private func waitsOn(_ looks: Int32) -> Bool {
        let now = monotonicNanoseconds()
        if looks == 0 { lockWaitBegan = now }
        let waited = now - lockWaitBegan
        guard waited < lockPatience, isWanted?() != false else { return false }
        let pause = min(UInt64(min(looks, 9) + 1) * 1_000_000, lockPatience - waited)
        usleep(UInt32(pause / 1000) + 1)
        return true
    }

    /// Makes this the connection's authorizer, progress handler and busy handler; the connection must keep it alive.
    func install(on handle: OpaquePointer) {
        let pointer = Unmanaged.passUnretained(self).toOpaque()
        sqlite3_set_authorizer(
            handle,
            { context, action, first, second, database, _ in
                guard let context else { return SQLITE_DENY }
                return Unmanaged<Authorizer>.fromOpaque(context).takeUnretainedValue().verdict(
                    action, first.map { String(cString: $0) }, second.map { String(cString: $0) },
                    database: database.map { String(cString: $0) })
            }, pointer)
        sqlite3_progress_handler(
            handle, 4000,
            { context in
                guard let context else { return 0 }
                let authorizer = Unmanaged<Authorizer>.fromOpaque(context).takeUnretainedValue()
                return authorizer.goesOn() ? 0 : 1
            }, pointer)
        sqlite3_busy_handler(
            handle,
            { context, looks in
                guard let context else { return 0 }
                let authorizer = Unmanaged<Authorizer>.fromOpaque(context).takeUnretainedValue()
                return authorizer.waitsOn(looks) ? 1 : 0
            }, pointer)
    }
}
