// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A statement as the engine gets it, and what must be bound to it.
public struct SQLText: Hashable, Sendable {
    /// What a text is for; each may begin with fewer words than the next.
    public enum Purpose: Hashable, Sendable {
        /// A statement that only reads.
        case query
        /// A statement of a write transaction.
        case write
        /// Statements that change a schema.
        case migration

        fileprivate var firstWords: Set<String> {
            switch self {
            case .query: ["select", "with", "values"]
            case .write: ["select", "with", "values", "insert", "update", "delete", "replace"]
            // END closes the body of a trigger; as a statement of its own SQLite's authorizer refuses it.
            case .migration:
                [
                    "select", "with", "values", "insert", "update", "delete", "replace", "create", "alter", "drop",
                    "end",
                ]
            }
        }
    }

    /// With `{table}` replaced by the namespace's name, `:tenant` by a number, and types and parameters as the engine
    /// names them.
    public private(set) var sql = ""
    /// The highest ?N.
    public private(set) var parameters = 0
    /// The number that stands for `:tenant`, if it occurs.
    public private(set) var tenant: Int?
    /// Tables that comments declare global, without prefix.
    public private(set) var globals: Set<String> = []
    /// Tables that are named in braces, in the order of the text, in small letters and without prefix.
    public private(set) var tables: [String] = []
    /// A comment says that every tenant's rows are meant.
    public private(set) var isForAllTenants = false

    /// Reads and rewrites `source`, which is one statement, or for a migration several.
    ///
    /// A text for one engine is not held to the portable subset: a migration's block with `engine`, and a statement that
    /// begins with the comment `/* engine: sqlite */` or `/* engine: postgresql */`.
    /// INVALID_ARGUMENT `sql.syntax`, `sql.not_a_query` and `sql.not_portable`, PERMISSION_DENIED `sql.refused_statement`
    /// and `sql.foreign_table`.
    ///
    /// - Parameter neverNull: whether every column of this name, in small letters, is NOT NULL in the namespace: on
    ///   PostgreSQL an ORDER BY of another gets the order of NULLs that SQLite has.
    public init(
        _ source: String, in namespace: Namespace, for purpose: Purpose, _ dialect: Dialect,
        engineSpecific: Bool = false, neverNull: (String) -> Bool = { _ in false }
    ) throws(StorageError) {
        let bytes = Array(source.utf8)
        let tokens = try SQLTokenizer.tokens(bytes)
        try checkStatements(tokens, bytes, purpose)
        let saysSo = try Self.isSpecific(tokens, bytes, to: dialect)
        let isSpecific = engineSpecific || saysSo
        if !isSpecific { try PortableSubset.check(source, bytes, tokens, isMigration: purpose == .migration) }
        parameters = try Self.highestParameter(tokens, bytes)
        let edits = isSpecific ? TextEdits() : Self.edits(tokens, bytes, purpose, dialect, neverNull)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + 32)
        var copied = 0
        for token in tokens {
            let (start, end) = (token.range.lowerBound, token.range.upperBound)
            output += bytes[copied..<start]
            copied = end
            if let addition = edits.before[start] { output += addition.utf8 }
            if let instead = edits.instead[start] ?? replacement(for: token, bytes, namespace, purpose, dialect) {
                output += instead.utf8
            } else {
                output += bytes[token.range]
            }
            if let addition = edits.after[end] { output += addition.utf8 }
        }
        output += bytes[copied...]
        sql = String(decoding: output, as: UTF8.self)
        if purpose == .migration, parameters > 0 || tenant != nil {
            throw .syntax("A migration has no parameters; it runs once for all tenants.")
        }
    }

    /// A statement of the engine itself, taken as it is.
    public init(engine sql: String, parameters: Int) {
        self.sql = sql
        self.parameters = parameters
    }

    private mutating func replacement(
        for token: SQLToken, _ bytes: [UInt8], _ namespace: Namespace, _ purpose: Purpose, _ dialect: Dialect
    ) -> String? {
        switch token.kind {
        case .table:
            let name = String(decoding: bytes[token.range].dropFirst().dropLast(), as: UTF8.self)
            tables.append(asciiLowercased(name))
            return "\"\(namespace.table(name))\""
        case .parameter where bytes[token.range].elementsEqual(":tenant".utf8):
            // Numbered by hand: SQLite would give it the next free number, which may be one of the caller's.
            tenant = parameters + 1
            return dialect.parameter(parameters + 1)
        case .parameter where dialect != .sqlite:
            return "$\(String(decoding: bytes[token.range].dropFirst(), as: UTF8.self))"
        case .comment where purpose == .migration:
            globals.formUnion(Self.globals(in: String(decoding: bytes[token.range], as: UTF8.self)))
            return nil
        case .comment:
            isForAllTenants = isForAllTenants || Self.meansAllTenants(bytes[token.range])
            return nil
        default:
            return nil
        }
    }

    /// Whether a comment is `tenants: all`.
    private static func meansAllTenants(_ comment: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: comment, as: UTF8.self).drop { "-/* \t".contains($0) }
        guard text.hasPrefix("tenants:") else { return false }
        return text.dropFirst("tenants:".count).filter { !" \t\r\n*/".contains($0) } == "all"
    }

    /// What is to be changed so that the engine understands the text as the others do.
    private static func edits(
        _ tokens: [SQLToken], _ bytes: [UInt8], _ purpose: Purpose, _ dialect: Dialect, _ neverNull: (String) -> Bool
    ) -> TextEdits {
        if dialect == .sqlite, purpose != .migration { return TextEdits() }
        let tokens = tokens.filter { $0.kind != .comment }
        let words = tokens.map { asciiLowercased(String(decoding: bytes[$0.range], as: UTF8.self)) }
        if dialect == .sqlite { return StrictTables.edits(words, tokens) }
        var edits = ServerMeaning.edits(words, tokens, inSchema: purpose == .migration)
        for (index, name) in SQLTypes.replacements(in: words) {
            let place = tokens[index].range.lowerBound
            edits.instead[place] = edits.instead[place] ?? name
        }
        for (index, order) in SortTerms(words: words, tokens: tokens).additions(neverNull: neverNull) {
            edits.after[tokens[index].range.upperBound, default: ""] += order
        }
        return edits
    }

    /// Whether a first comment says that the text is for this engine only.
    private static func isSpecific(
        _ tokens: [SQLToken], _ bytes: [UInt8], to dialect: Dialect
    ) throws(StorageError) -> Bool {
        guard let first = tokens.first, first.kind == .comment else { return false }
        let text = String(decoding: bytes[first.range], as: UTF8.self).drop { "-/* \t".contains($0) }
        guard text.hasPrefix("engine:") else { return false }
        let name = text.dropFirst("engine:".count).filter { !" \t\r\n*/".contains($0) }
        guard name == dialect.rawValue else {
            throw StorageError(
                .invalidArgument, "sql.not_portable",
                "The statement is for \(name.prefix(20)) and the engine is \(dialect.rawValue); choose by the engine.")
        }
        return true
    }

    /// One statement, or several in a migration, each beginning with a word its purpose has.
    private func checkStatements(_ tokens: [SQLToken], _ bytes: [UInt8], _ purpose: Purpose) throws(StorageError) {
        var atStart = true
        var statements = 0
        for token in tokens where token.kind != .comment {
            if token.kind == .quoted || token.kind == .word {
                try Self.checkName(bytes[token.range])
            }
            if bytes[token.range].elementsEqual(";".utf8) {
                atStart = true
                continue
            }
            guard atStart else { continue }
            atStart = false
            statements += 1
            let word = asciiLowercased(String(decoding: bytes[token.range], as: UTF8.self))
            guard token.kind == .word, purpose.firstWords.contains(word) else {
                throw Self.refusal(of: word, purpose)
            }
        }
        guard statements > 0 else { throw .syntax("There is no statement.") }
        guard statements == 1 || purpose == .migration else {
            throw .syntax("There is more than one statement; send each by itself.")
        }
    }

    private static func refusal(of word: String, _ purpose: Purpose) -> StorageError {
        guard purpose == .query, Purpose.write.firstWords.contains(word) else {
            return StorageError(
                .permissionDenied, "sql.refused_statement",
                "A statement that begins with \"\(word.prefix(40))\" is not run here.")
        }
        return StorageError(.invalidArgument, "sql.not_a_query", "A query only reads; send this statement in a commit.")
    }

    /// An engine's own tables cannot be named, not even by a string in the place of a name: SQLite's authorizer has to let
    /// the engine itself at them while it declares virtual tables and changes schemas.
    private static func checkName(_ token: ArraySlice<UInt8>) throws(StorageError) {
        let name = token.drop {
            $0 == UInt8(ascii: "'") || $0 == UInt8(ascii: "\"") || $0 == 0x60 || $0 == UInt8(ascii: "[")
        }
        guard name.count >= 7, zip(name, "sqlite_".utf8).allSatisfy({ asciiLowercase($0) == $1 }) else { return }
        let text = String(decoding: name.prefix(40), as: UTF8.self)
        throw StorageError(.permissionDenied, "sql.foreign_table", "\"\(text)\" belongs to the engine.")
    }

    private static func highestParameter(_ tokens: [SQLToken], _ bytes: [UInt8]) throws(StorageError) -> Int {
        var highest = 0
        for token in tokens where token.kind == .parameter {
            let text = String(decoding: bytes[token.range], as: UTF8.self)
            if text == ":tenant" { continue }
            guard text.first == "?", let number = Int(text.dropFirst()), (1...999).contains(number) else {
                throw .syntax("\"\(text.prefix(40))\" is no parameter; use ?1 to ?999 and :tenant.")
            }
            highest = max(highest, number)
        }
        return highest
    }

    /// The names in a comment such as `-- global: {settings}, {words}`.
    private static func globals(in comment: String) -> [String] {
        let text = comment.drop { "-/* \t".contains($0) }
        guard text.hasPrefix("global:") else { return [] }
        return text.dropFirst("global:".count).split(separator: ",").compactMap { part in
            let name = part.filter { !" \t{}*/\r".contains($0) }
            return name.isEmpty ? nil : asciiLowercased(name)
        }
    }
}

extension SQLText {
    /// The statements of a migration, each without its semicolon; the body of a trigger stays in one.
    ///
    /// INVALID_ARGUMENT `sql.syntax` where a token of an engine's own text does not end.
    public func statements() throws(StorageError) -> [String] {
        let bytes = Array(sql.utf8)
        let tokens = try SQLTokenizer.tokens(bytes)
        var found: [String] = []
        var start: Int?
        var end = 0
        var words: [String] = []
        for token in tokens where token.kind != .comment {
            let word = asciiLowercased(String(decoding: bytes[token.range], as: UTF8.self))
            let inTrigger = words.first == "create" && words.contains("trigger") && words.last != "end"
            if word == ";", !inTrigger {
                if let first = start { found.append(String(decoding: bytes[first..<end], as: UTF8.self)) }
                start = nil
                words = []
                continue
            }
            if start == nil { start = token.range.lowerBound }
            end = token.range.upperBound
            words.append(word)
        }
        if let first = start { found.append(String(decoding: bytes[first..<end], as: UTF8.self)) }
        return found
    }
}
