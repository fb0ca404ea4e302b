// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Why a manifest or a file of `plugins.d` is refused.
public struct ManifestError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Stable code, such as `manifest.unknown_key`.
    public let code: String
    /// RFC 6901 pointer to the value at fault; empty for the document.
    public let pointer: String
    /// A sentence that reads on from the pointer: `is a string; an object is expected`.
    public let message: String

    /// An error at a place of a document.
    public init(code: String, pointer: String, message: String) {
        self.code = code
        self.pointer = pointer
        self.message = message
    }

    /// `/routes/0/path is missing`.
    public var description: String { "\(pointer.isEmpty ? "the document" : pointer) \(message)" }
}
