// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreStorage

/// What a caller's text may not name on this engine, not even in a block of its own for it.
///
/// The role and the search path keep a namespace to itself; this keeps a text from leaving them, since a session may
/// always become again who it was.
enum ServerSubset {
    /// PERMISSION_DENIED `sql.foreign_table` or `sql.refused_statement`.
    static func check(_ source: String, in namespace: Namespace, prefix: String) throws(StorageError) {
        let bytes = Array(source.utf8)
        let tokens = try SQLTokenizer.tokens(bytes).filter { $0.kind != .comment }
        var before = ""
        for (index, token) in tokens.enumerated() {
            switch token.kind {
            case .word, .quoted:
                guard bytes[token.range.lowerBound] != UInt8(ascii: "'") else { continue }
                let text = asciiLowercased(String(decoding: bytes[token.range], as: UTF8.self))
                let name = text.hasPrefix("\"") ? String(text.dropFirst().dropLast()) : text
                try check(name: name, in: namespace, prefix: prefix)
                let next = index + 1 < tokens.count ? bytes[tokens[index + 1].range.lowerBound] : 0
                if next == UInt8(ascii: "("), functions.contains(name) || starts.contains(where: name.hasPrefix) {
                    throw refused("The function \(name.prefix(60))")
                }
                if ["create", "alter", "drop", "replace"].contains(before), objects.contains(name) {
                    throw refused("\(before.uppercased()) \(name.uppercased())")
                }
                before = name
                // U&"…" writes a name in numbers.
                if name == "u", index + 1 < tokens.count, bytes[tokens[index + 1].range.lowerBound] == UInt8(ascii: "&")
                {
                    throw refused("A name with U&")
                }
            case .parameter where bytes[token.range.lowerBound] == UInt8(ascii: "$"):
                throw refused("A dollar")
            default: continue
            }
        }
    }

    private static func check(name: String, in namespace: Namespace, prefix: String) throws(StorageError) {
        if let marker = name.range(of: "__"), marker.lowerBound > name.startIndex, !namespace.owns(name) {
            throw StorageError.foreign(name, namespace)
        }
        if name.hasPrefix("\(prefix)_") || name == "information_schema" { throw StorageError.foreign(name, namespace) }
        if name.hasPrefix("pg_"), !harmless.contains(name) { throw refused("The name \(name.prefix(60))") }
    }

    private static func refused(_ what: String) -> StorageError {
        StorageError(.permissionDenied, "sql.refused_statement", "\(what) is not allowed here.")
    }

    private static let harmless: Set<String> = ["pg_typeof", "pg_column_size"]
    /// Functions that change a session or run a text.
    private static let functions: Set<String> = [
        "set_config", "current_setting", "ts_stat", "ts_rewrite", "setval", "nextval",
    ]
    /// Objects whose bodies could, or that are not a namespace's own.
    private static let objects: Set<String> = [
        "function", "procedure", "routine", "aggregate", "language", "extension", "server", "subscription",
        "publication",
        "role", "user", "group", "database", "schema", "tablespace", "event", "operator", "cast", "foreign",
    ]
    private static let starts = [
        "lo_", "dblink", "query_to_", "table_to_", "cursor_to_", "schema_to_", "database_to_", "txid_",
    ]
}

extension String {
    /// The first place where `text` stands; for short texts.
    func range(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
