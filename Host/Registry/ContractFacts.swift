// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What the contracts say beyond their shapes, by capability id. Filled from the descriptors in a plugin's library.
public struct ContractFacts: Sendable, Hashable {
    /// Each contract that the plugin provides or needs, by full name.
    public var capabilities: [String: Capability]

    /// A catalog of these contracts.
    public init(_ capabilities: [Capability] = []) {
        self.capabilities = Dictionary(capabilities.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// One contract.
    public struct Capability: Sendable, Hashable {
        /// Full name: `theatre.ledger.v1.Ledger`.
        public var name: String
        /// Its operations.
        public var operations: [Operation]
        /// The attributes that providers may state.
        public var attributes: [Attribute]
        /// Several instances may provide it side by side.
        public var many: Bool
        /// Where its providers stand for somebody outside: the reasons of errors that are the provider's beside those of
        /// which the code says it.
        public var external: [String: FaultClass]?

        /// A contract.
        public init(
            name: String, operations: [Operation], attributes: [Attribute] = [], many: Bool = true,
            external: [String: FaultClass]? = nil
        ) {
            self.name = name
            self.operations = operations
            self.attributes = attributes
            self.many = many
            self.external = external
        }

        /// The operation of that name without the contract's, or nil.
        public func operation(_ name: some StringProtocol) -> Operation? { operations.first { $0.name == name } }
    }

    /// One operation of a contract.
    public struct Operation: Sendable, Hashable {
        /// Without the contract's name: `CreatePayment`.
        public var name: String
        /// A provider may leave it out.
        public var optional = false
        /// A call changes nothing anywhere.
        public var freeOfEffects = false
        /// A call that fails without an answer may have changed the world.
        public var sideEffect = false
        /// Only the host may call it.
        public var hostOnly = false
        /// While a call is open its caller may call nothing else.
        public var holdsTransaction = false
        /// The operation that finds out what a call did; empty for none.
        public var reconcile = ""
        /// Deadline for callers that set none, in milliseconds; 0 for the host's default.
        public var defaultTimeout = 0

        /// An operation that the contract demands and says nothing else about.
        public init(_ name: String) { self.name = name }
    }

    /// One attribute of a contract.
    public struct Attribute: Sendable, Hashable {
        /// Lower case with underscores.
        public var name: String
        /// Its type in a manifest.
        public var type: AttributeType

        /// An attribute.
        public init(_ name: String, _ type: AttributeType) {
            self.name = name
            self.type = type
        }
    }

    /// The types of attributes.
    public enum AttributeType: String, Sendable, Hashable {
        /// A JSON integer.
        case integer
        /// A JSON string.
        case string
        /// A JSON array of strings.
        case strings
        /// A JSON boolean.
        case boolean
    }
}
