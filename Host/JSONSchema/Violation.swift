// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// One way in which a value fails a schema.
public struct Violation: Sendable, Hashable, CustomStringConvertible {
    /// RFC 6901 pointer to the value at fault; empty for the document.
    public let pointer: String
    /// The keyword that failed, such as `type`.
    public let keyword: String
    /// What would do, as half a sentence: `an integer is expected`.
    public let expected: String
    /// What is there, shortened: `"http"`, `missing`, `unknown`; only its kind where the schema says `writeOnly`.
    public let found: String

    /// A violation at a place of a value.
    public init(pointer: String, keyword: String, expected: String, found: String) {
        self.pointer = pointer
        self.keyword = keyword
        self.expected = expected
        self.found = found
    }

    /// `/port is "http"; an integer is expected`.
    public var description: String { "\(pointer.isEmpty ? "the document" : pointer) is \(found); \(expected)" }
}
