// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Turns JSON into the bytes of one message and those into JSON, by plans made beforehand.
///
/// A value; safe from any thread. Neither direction builds a tree: JSON is read and protobuf written in one pass.
public struct MessageTranscoder: Sendable {
    /// Full name of the message.
    public let message: String
    let plans: [MessagePlan]

    /// Names of its fields, in order of their numbers.
    public var fields: [String] { plans[0].fields.map(\.name) }

    /// Those of `names` that are no scalar field of the message, and so cannot come from a path or a query.
    public func unfillable(_ names: [String]) -> [String] {
        names.filter { name in
            guard let field = plans[0].fields.first(where: { $0.name == name }) else { return true }
            switch field.kind {
            case .message, .map, .json: return true
            default: return false
            }
        }
    }

    /// Writes the request of one HTTP call.
    ///
    /// Fields are named as in the contract. Integers are JSON numbers within ±2^53 or strings of digits; enums their names
    /// without the type's prefix; bytes base64 with padding; timestamps RFC 3339; null is as if absent. Path and query
    /// parameters fill scalar fields; a repeated field takes a query parameter several times. A path parameter always
    /// holds: a query or body that says otherwise is `request.conflict`.
    ///
    /// - Parameters:
    ///   - json: The body; empty counts as `{}`. At most 32 levels deep.
    ///   - path: Parameters of the template, percent-decoded.
    ///   - query: Parameters of the query in order, percent-decoded.
    /// - Throws: `TranscodingError` for the first fault.
    public func encode(
        _ json: [UInt8], path: [(name: String, value: String)] = [], query: [(name: String, value: String)] = []
    ) throws(TranscodingError) -> [UInt8] {
        let result: Result<[UInt8], TranscodingError> = json.withUnsafeBufferPointer { bytes in
            Result { () throws(TranscodingError) in try encode(bytes, path: path, query: query) }
        }
        return try result.get()
    }

    /// As `encode(_:path:query:)`, of bytes that last for the call.
    public func encode(
        _ json: UnsafeBufferPointer<UInt8>, path: [(name: String, value: String)] = [],
        query: [(name: String, value: String)] = []
    ) throws(TranscodingError) -> [UInt8] {
        var writer = RequestWriter(plans: plans, json: json)
        if !path.isEmpty { try writer.fill(path, from: .path) }
        if !query.isEmpty { try writer.fill(query, from: .query) }
        return try writer.finish()
    }

    /// Whether the message has a field of this name.
    public func hasField(_ name: String) -> Bool { plans[0].fields.contains { $0.name == name } }

    /// Whether it, or a message in it, has a secret field.
    public var hasSecrets: Bool { plans.contains { $0.fields.contains(where: \.isSecret) } }

    /// Writes the JSON of a message.
    ///
    /// Every field is there, in order of field numbers: `[]` and `{}` where there is none, null for an unset message,
    /// `optional` or member of a oneof and for an empty `nullable`. Integers beyond ±2^53 are strings of digits, unknown
    /// enum values their numbers, map keys sorted. The same bytes give the same JSON.
    ///
    /// - Throws: `TranscodingError` `wire.invalid` where the bytes are no such message.
    public func decode(_ bytes: [UInt8]) throws(TranscodingError) -> [UInt8] {
        let result: Result<[UInt8], TranscodingError> = bytes.withUnsafeBufferPointer { bytes in
            Result { () throws(TranscodingError) in try decode(bytes) }
        }
        return try result.get()
    }

    /// As `decode(_:)`, of bytes that last for the call.
    public func decode(_ bytes: UnsafeBufferPointer<UInt8>) throws(TranscodingError) -> [UInt8] {
        var writer = ResponseWriter(plans: plans, capacity: bytes.count * 2 + 64 + plans[0].fields.count * 24)
        try writer.message(0, bytes, depth: depthLimit)
        return writer.output
    }
}
