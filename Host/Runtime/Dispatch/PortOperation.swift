// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
public import Transcoding

/// What the dispatcher knows of an operation from its contract.
public struct OperationTraits: Sendable, Hashable {
    /// A call that fails without an answer may have changed the world.
    public var sideEffect = false
    /// `capability/Operation` that finds out what such a call did, or empty.
    public var reconcile = ""
    /// Any error may fall back.
    public var freeOfEffects = false
    /// The caller may call only the same need while such a call is open.
    public var holdsTransaction = false
    /// Plugins may not call it.
    public var hostOnly = false
    /// May be called before `activate` has returned.
    public var beforeReady = false
    /// The caller sends a stream.
    public var streamsIn = false
    /// The callee sends a stream.
    public var streamsOut = false
    /// Nanoseconds for callers that set no deadline; 0 is the host's default.
    public var defaultTimeout: UInt64 = 0
    /// Where its answer says what the call used; nil for nowhere.
    public var usage: UsageLayout?

    /// A unary operation without effects worth a mark.
    public init() {}
}

/// ``OperationTraits`` without what has to be counted, for the hot path.
struct OperationFacts {
    var flags: UInt32
    var timeout: UInt64
    var beforeReady: Bool
    var hostOnly: Bool
    var holdsTransaction: Bool

    init(_ traits: OperationTraits) {
        flags =
            (traits.streamsIn ? THEATRE_CALL_STREAM_IN : 0) | (traits.streamsOut ? THEATRE_CALL_STREAM_OUT : 0)
            | (traits.sideEffect ? THEATRE_CALL_SIDE_EFFECT : 0)
        timeout = traits.defaultTimeout
        beforeReady = traits.beforeReady
        hostOnly = traits.hostOnly
        holdsTransaction = traits.holdsTransaction
    }
}

/// One entry of a manifest's `operations`.
public struct PortOperation: Sendable {
    /// `capability/Operation`.
    public var name: String
    /// From the contract.
    public var traits: OperationTraits

    /// An operation.
    public init(_ name: String, _ traits: OperationTraits = OperationTraits()) {
        self.name = name
        self.traits = traits
    }
}

/// One entry of a manifest's `calls`.
public struct PortCall: Sendable {
    /// As in the manifest: `feature/Operation` or `theatre.host.v1.Service/Operation`.
    public var name: String
    /// Whom it reaches.
    public var target: Target
    /// From the contract.
    public var traits: OperationTraits

    /// A call.
    public init(_ name: String, _ target: Target, _ traits: OperationTraits = OperationTraits()) {
        self.name = name
        self.target = target
        self.traits = traits
    }

    /// Whom a call reaches.
    public enum Target: Sendable {
        /// The host.
        case service(any HostService, operation: String)
        /// Whoever the routes say. `operation` is `capability/Operation`.
        case feature(String, operation: String, fallback: Bool)
        /// Nobody: every call fails so.
        case refused(CallError)
    }
}
