// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreContracts

/// A service: a capability that plugins provide.
public struct ServiceDescription: Sendable, Hashable {
    /// `theatre.orders.v1.Orders`.
    public let name: String
    /// Its comment, where the descriptors carry it.
    public let comment: String
    /// In order of declaration.
    public let operations: [OperationDescription]
    /// What a manifest may state about it.
    public let attributes: [AttributeDescription]
    /// Several instances may provide it, and a route decides.
    public let many: Bool
    /// Where its providers stand for somebody outside: which errors are theirs.
    public let external: OptionsExternal?
}

/// An attribute of a capability.
public struct AttributeDescription: Sendable, Hashable {
    /// `max_input_tokens`.
    public let name: String
    /// Its type in a manifest.
    public let type: OptionsAttributeType
    /// What it means, with its unit.
    public let meaning: String
}

/// An operation of a service with its options.
public struct OperationDescription: Sendable, Hashable {
    /// `theatre.orders.v1.Orders/CreateOrder`.
    public let name: String
    /// Its comment, where the descriptors carry it.
    public let comment: String
    /// Full name of the request message.
    public let input: String
    /// Full name of the response message.
    public let output: String
    /// The caller sends a stream.
    public let isClientStreaming: Bool
    /// The provider answers with a stream.
    public let isServerStreaming: Bool
    /// A call without an answer may have changed the world.
    public let sideEffect: Bool
    /// The operation of the same service that finds out what a call did, or empty.
    public let reconcile: String
    /// Any error may fall back.
    public let freeOfEffects: Bool
    /// A provider may leave it out.
    public let optional: Bool
    /// The caller may call only this need while one is open.
    public let holdsTransaction: Bool
    /// Only the host calls it.
    public let hostOnly: Bool
    /// Milliseconds for callers that set no deadline. 0: the host's default.
    public let defaultTimeoutMilliseconds: UInt32
    /// Where its answer says what the call used: fields with dots; empty for nowhere.
    public let usage: String
    /// The field that names work whose usage several answers tell of; empty for none.
    public let usageID: String
}

/// A message.
public struct MessageDescription: Sendable, Hashable {
    /// `theatre.orders.v1.Order`.
    public let name: String
    /// Its comment, where the descriptors carry it.
    public let comment: String
    /// By number.
    public let fields: [FieldDescription]
    /// Names of its oneofs; a field says which it is of by index.
    public let oneofs: [String]
    /// Made by the compiler for a map field.
    public let isMapEntry: Bool
    /// False for proto2 and editions, which have no transcoder.
    public let isProto3: Bool
}

/// A field of a message.
public struct FieldDescription: Sendable, Hashable {
    /// The proto name, which is the JSON name too.
    public let name: String
    /// Its comment, where the descriptors carry it.
    public let comment: String
    /// Field number.
    public let number: Int32
    /// What it holds; of a repeated field, each element.
    public let type: FieldType
    /// A list or a map.
    public let isRepeated: Bool
    /// Declared `optional`: not set differs from empty.
    public let hasPresence: Bool
    /// Index into `oneofs`, or nil.
    public let oneof: Int?
    /// What the HTTP edge enforces.
    public let rules: OptionsField
}

/// What a field holds.
public enum FieldType: Sendable, Hashable {
    case double, float, int32, int64, uint32, uint64, sint32, sint64, fixed32, fixed64, sfixed32, sfixed64
    case bool, string, bytes
    /// Full name of the message.
    case message(String)
    /// Full name of the enum.
    case enumeration(String)
    /// A proto2 group, which no transcoder reads.
    case group
}

/// An enum.
public struct EnumDescription: Sendable, Hashable {
    /// `theatre.orders.v1.OrderStatus`.
    public let name: String
    /// Its comment, where the descriptors carry it.
    public let comment: String
    /// In order of declaration; names without the type's prefix: `CREATED` for `ORDER_STATUS_CREATED`.
    public let values: [Value]

    /// A value of an enum.
    public struct Value: Sendable, Hashable {
        /// As in JSON.
        public let name: String
        /// Its comment, where the descriptors carry it.
        public let comment: String
        /// On the wire.
        public let number: Int32
    }
}
