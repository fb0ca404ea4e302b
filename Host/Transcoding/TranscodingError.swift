// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Why a message could not be written from JSON, or not be read from its bytes.
public struct TranscodingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Stable code: `json.syntax`, `json.depth`, `json.unknown_field`, `json.duplicate_field`, `json.type`, `json.value`,
    /// `json.required`, `json.oneof`, `request.conflict`, `request.unknown_parameter`, `wire.invalid`.
    public let code: String
    /// RFC 6901 pointer into the JSON document; empty for the document. A parameter of path or query has that of its field.
    public internal(set) var pointer: String
    /// What would do, as half a sentence: `an integer is expected`.
    public let expected: String
    /// What is there, shortened; never the value of a `secret` field.
    public internal(set) var found: String

    init(_ code: String, _ expected: String, found: String, pointer: String = "") {
        self.code = code
        self.pointer = pointer
        self.expected = expected
        self.found = found
    }

    /// `/chips is "many"; an integer is expected`.
    public var description: String { "\(pointer.isEmpty ? "the document" : pointer) is \(found); \(expected)" }

    /// The same error seen from one level up.
    func under(_ key: String, isSecret: Bool = false) -> TranscodingError {
        var error = self
        error.pointer = "/" + key.replacing("~", with: "~0").replacing("/", with: "~1") + pointer
        if isSecret, code == "json.value" || code == "json.type" { error.found = "not what it may be" }
        return error
    }

    static func wire(_ message: String) -> TranscodingError {
        TranscodingError("wire.invalid", "the bytes of the message are expected", found: message)
    }
}
