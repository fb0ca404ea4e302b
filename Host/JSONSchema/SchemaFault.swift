// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Why a schema is refused when it is loaded.
public struct SchemaFault: Sendable, Hashable, CustomStringConvertible {
    /// RFC 6901 pointer into the schema.
    public let pointer: String
    /// A sentence that reads on from the pointer: `is unknown; did you mean "maximum"?`.
    public let message: String

    /// A fault at a place of a schema.
    public init(pointer: String, message: String) {
        self.pointer = pointer
        self.message = message
    }

    /// `/properties/port/maximun is unknown; did you mean "maximum"?`.
    public var description: String { "\(pointer.isEmpty ? "the schema" : pointer) \(message)" }
}

/// All faults of a schema, by pointer.
public struct SchemaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// At least one.
    public let faults: [SchemaFault]

    /// The faults, joined by line ends.
    public var description: String { faults.map(\.description).joined(separator: "\n") }
}
