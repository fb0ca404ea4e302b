// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Reads the members of one JSON object, each by name and type, and refuses those that nobody asked for.
///
/// Read every member, then call ``finish()``.
public struct ObjectReader {
    private let members: [String: JSONValue]
    private var asked: Set<String> = []
    /// Pointer to the object.
    public let pointer: String

    /// Reads `value`, which must be an object.
    public init(_ value: JSONValue, at pointer: String = "") throws {
        guard case .object(let members) = value else {
            throw ManifestError(
                code: "manifest.type", pointer: pointer, message: "is \(value.kind); an object is expected")
        }
        self.members = members
        self.pointer = pointer
    }

    /// Pointer to a member.
    public func pointer(to key: String) -> String {
        pointer + "/" + key.replacing("~", with: "~0").replacing("/", with: "~1")
    }

    /// The member as it is, or nil.
    public mutating func value(_ key: String) -> JSONValue? {
        asked.insert(key)
        return members[key]
    }

    /// A required string, not empty.
    public mutating func string(_ key: String) throws -> String {
        guard let string = try optionalString(key), !string.isEmpty else { throw missing(key) }
        return string
    }

    /// A string, or nil.
    public mutating func optionalString(_ key: String) throws -> String? {
        try typed(key, "a string", \.string)
    }

    /// A string out of a closed set, or the default.
    public mutating func choice(_ key: String, of choices: [String], default fallback: String? = nil) throws -> String {
        guard let string = try optionalString(key) ?? fallback else { throw missing(key) }
        guard choices.contains(string) else {
            throw ManifestError(
                code: "manifest.choice", pointer: pointer(to: key),
                message: "is \"\(string)\"; one of \(choices.joined(separator: ", ")) is expected")
        }
        return string
    }

    /// An integer, or nil.
    public mutating func integer(_ key: String) throws -> Int64? {
        try typed(key, "an integer", \.integer)
    }

    /// An integer within bounds, or the default.
    public mutating func bounded(_ key: String, _ bounds: ClosedRange<Int>, default fallback: Int) throws -> Int {
        guard let value = try integer(key) else { return fallback }
        guard let integer = Int(exactly: value), bounds.contains(integer) else {
            throw ManifestError(
                code: "manifest.range", pointer: pointer(to: key),
                message: "is \(value); \(bounds.lowerBound) to \(bounds.upperBound) is expected")
        }
        return integer
    }

    /// A boolean, or the default.
    public mutating func bool(_ key: String, default fallback: Bool) throws -> Bool {
        try typed(key, "a boolean", \.bool) ?? fallback
    }

    /// The elements of an array; empty where it is missing.
    public mutating func array(_ key: String) throws -> [JSONValue] {
        try typed(key, "an array", \.array) ?? []
    }

    /// An array of strings; empty where it is missing.
    public mutating func strings(_ key: String) throws -> [String] {
        let base = pointer(to: key)
        return try array(key).enumerated().map { index, element in
            guard let string = element.string else {
                throw ManifestError(
                    code: "manifest.type", pointer: "\(base)/\(index)",
                    message: "is \(element.kind); a string is expected")
            }
            return string
        }
    }

    /// The members of an object; empty where it is missing.
    public mutating func object(_ key: String) throws -> [String: JSONValue] {
        try typed(key, "an object", \.object) ?? [:]
    }

    /// Each element of an array of objects, read by `body`.
    public mutating func each<Element>(_ key: String, _ body: (inout ObjectReader) throws -> Element) throws
        -> [Element]
    {
        let base = pointer(to: key)
        return try array(key).enumerated().map { index, element in
            var reader = try ObjectReader(element, at: "\(base)/\(index)")
            let result = try body(&reader)
            try reader.finish()
            return result
        }
    }

    /// Refuses members that were not asked for, with the nearest known name.
    public func finish() throws {
        guard let key = members.keys.filter({ !asked.contains($0) }).min() else { return }
        let hint = nearestMatch(to: key, among: asked).map { "; did you mean \"\($0)\"?" } ?? ""
        throw ManifestError(
            code: "manifest.unknown_key", pointer: pointer(to: key),
            message: "is unknown\(hint.isEmpty ? "; known here: \(asked.sorted().joined(separator: ", "))" : hint)")
    }

    private func missing(_ key: String) -> ManifestError {
        ManifestError(code: "manifest.missing", pointer: pointer(to: key), message: "is missing")
    }

    private mutating func typed<T>(_ key: String, _ expected: String, _ path: KeyPath<JSONValue, T?>) throws -> T? {
        guard let value = value(key), value != .null else { return nil }
        guard let typed = value[keyPath: path] else {
            throw ManifestError(
                code: "manifest.type", pointer: pointer(to: key), message: "is \(value.kind); \(expected) is expected")
        }
        return typed
    }
}
