// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts

/// A message as the hot path reads it. Plans refer to each other by index, so that messages may nest themselves.
struct MessagePlan: Sendable {
    var fields: [FieldPlan] = []
    /// All fields that a request must have.
    var required = FieldMask()
}

/// One field as the hot path reads it.
struct FieldPlan: Sendable {
    let name: String
    let nameBytes: [UInt8]
    /// `"name":`.
    let jsonKey: [UInt8]
    let number: UInt32
    let kind: Kind
    let isRepeated: Bool
    /// Not set differs from empty: `optional`, members of a oneof, messages.
    let hasPresence: Bool
    /// The members of its oneof, itself among them.
    let oneof: FieldMask
    let oneofName: String
    let isRequired: Bool
    let isSecret: Bool
    let isNullable: Bool
    let minLength: Int
    let maxLength: Int
    let minimum: Int64?
    let maximum: Int64?
    let values: [[UInt8]]

    var wireType: UInt32 {
        switch kind {
        case .double, .fixed64, .sfixed64: 1
        case .float, .fixed32, .sfixed32: 5
        case .string, .bytes, .json, .message, .map: 2
        default: 0
        }
    }
    var isPackable: Bool { isRepeated && wireType != 2 }
}

/// What a field holds.
enum Kind: Sendable {
    case double, float, int32, int64, uint32, uint64, sint32, sint64, fixed32, fixed64, sfixed32, sfixed64, bool
    case timestamp, string, bytes, json
    case message(Int)
    case map(Int)
    case enumeration(EnumPlan)

    var words: String {
        switch self {
        case .double, .float: "a number"
        case .bool: "true or false"
        case .timestamp: "an RFC 3339 date and time"
        case .string: "a string"
        case .bytes: "a string of base64"
        case .json: "JSON"
        case .message, .map: "an object"
        case .enumeration(let plan): "one of \(plan.names.joined(separator: ", "))"
        default: "an integer"
        }
    }
}

/// Names and numbers of an enum. A class, so that plans stay small to copy.
final class EnumPlan: Sendable {
    let names: [String]
    let bytes: [[UInt8]]
    let numbers: [Int32]

    init(_ description: EnumDescription) {
        names = description.values.map(\.name)
        bytes = names.map { Array($0.utf8) }
        numbers = description.values.map(\.number)
    }
}

/// Up to 128 fields.
struct FieldMask: Sendable, Equatable {
    static let capacity = 128
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    func contains(_ index: Int) -> Bool { (index < 64 ? low >> UInt64(index) : high >> UInt64(index - 64)) & 1 == 1 }
    mutating func insert(_ index: Int) {
        if index < 64 { low |= 1 << UInt64(index) } else { high |= 1 << UInt64(index - 64) }
    }
    func intersects(_ other: FieldMask) -> Bool { low & other.low != 0 || high & other.high != 0 }
    func isSubset(of other: FieldMask) -> Bool { low & ~other.low == 0 && high & ~other.high == 0 }
    var isEmpty: Bool { low == 0 && high == 0 }
}
