// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Whose tables: the prefix that the tables of one instance carry.
///
/// A namespace has neither a double nor an outer underscore, so the first `__` of a table's name ends it and no two
/// namespaces can name the same table.
public struct Namespace: Hashable, Sendable {
    /// Lower-case letters, digits and single underscores.
    public let name: String

    /// The host's own, where answers, audit rows, events and cursors are kept.
    public static let host = Namespace(known: "host")

    private init(known name: String) { self.name = name }

    /// The namespace of the instance `caller`; a hyphen becomes an underscore.
    public init(caller: String) throws(StorageError) {
        var name = caller
        if name.utf8.contains(UInt8(ascii: "-")) { name = String(name.map { $0 == "-" ? "_" : $0 }) }
        guard Self.isName(name)
        else {
            throw StorageError(
                .permissionDenied, "sql.bad_namespace",
                "\"\(caller)\" cannot own tables; an instance name of a-z, 0-9 and single hyphens is needed.")
        }
        self.name = name
    }

    /// Once a call: by bytes, which is a tenth of the time that characters take.
    private static func isName(_ name: String) -> Bool {
        let underscore = UInt8(ascii: "_")
        var last = underscore
        var isFirst = true
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): isFirst = false
            case UInt8(ascii: "0")...UInt8(ascii: "9") where !isFirst: break
            case underscore where last != underscore: break
            default: return false
            }
            last = byte
        }
        return last != underscore
    }

    /// What the names of its tables begin with.
    public var prefix: String { "\(name)__" }

    /// A table of this namespace.
    public func table(_ name: some StringProtocol) -> String { prefix + name }

    /// Whether the namespace owns what has this name; SQLite ignores the case of ASCII letters.
    public func owns(_ object: String) -> Bool {
        object.utf8.count > prefix.utf8.count
            && zip(object.utf8, prefix.utf8).allSatisfy { asciiLowercase($0) == $1 }
    }
}

/// Lower case as SQLite compares names: ASCII letters only.
public func asciiLowercase(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}

/// `text` with ASCII letters in lower case.
public func asciiLowercased(_ text: String) -> String { String(decoding: text.utf8.map(asciiLowercase), as: UTF8.self) }
