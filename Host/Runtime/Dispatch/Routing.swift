// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Answers which instance meets a need. Immutable; asked on any thread for every call between plugins.
public protocol Routing: AnyObject, Sendable {
    /// The candidates for one call, best first.
    func resolve(_ query: borrowing RouteQuery) -> Resolution

    /// The one candidate of every call with this index in the caller's `calls`; nil where calls must be asked for.
    func fixed(caller: InstancePort, call: Int) -> RouteCandidate?
}

extension Routing {
    /// Every call is asked for.
    public func fixed(caller: InstancePort, call: Int) -> RouteCandidate? { nil }
}

/// What a route is chosen by.
public struct RouteQuery: ~Copyable {
    /// Who calls.
    public let caller: InstancePort
    /// Index in the caller's `calls`, for tables that look up by number.
    public let call: Int
    /// The need.
    public let feature: String
    /// `capability/Operation`.
    public let operation: String
    /// One `theatre.host.v1.RouteAttributes` message, or nothing; borrowed.
    public let attributes: UnsafeRawBufferPointer
    /// On whose behalf.
    public let context: CallContext
}

/// Who may serve a call.
public enum Resolution: Sendable {
    /// One instance.
    case single(RouteCandidate)
    /// Several, best first, and why those before each of them in the route were left out.
    case ordered([RouteCandidate], skipped: String?)
    /// Nobody, because.
    case unavailable(CallError)
}

/// An instance's operation that may serve a call.
public struct RouteCandidate: Sendable {
    /// What serves it.
    public var port: InstancePort
    /// Index in its operations.
    public var operation: UInt32
    /// Name of the profile, for the span.
    public var profile: String
    /// How the profile is, where its instance stands for somebody outside.
    public var health: ProfileHealth?
    /// Who is told what its calls used, where they say it.
    public var metered: MeteredProfile?
    /// What the callee's context says of the caller and the profile, encoded by ``CallContext/fields(of:profile:parameters:)``;
    /// empty for the caller alone.
    public var context: [UInt8]

    /// A candidate.
    public init(
        port: InstancePort, operation: UInt32, profile: String, health: ProfileHealth? = nil,
        metered: MeteredProfile? = nil, context: [UInt8] = []
    ) {
        self.metered = metered
        self.health = health
        self.port = port
        self.operation = operation
        self.profile = profile
        self.context = context
    }
}

/// Everything that changes in one flip: who serves under which name, why the others do not, and the routes.
///
/// A call keeps the table that served when it began, and all calls on its behalf go by the same one: a request never
/// sees two generations of an instance.
public final class DispatchTable: Sendable {
    /// How many were installed before it; 0 until it is installed.
    let number = Atomic<Int>(0)
    let ports: [String: InstancePort]
    let closed: [String: String]
    let routing: (any Routing)?
    private let fixed: FixedRoutes

    /// A table.
    ///
    /// - Parameters:
    ///   - ports: the serving generation of each instance.
    ///   - closed: instances that are configured but do not serve, with one sentence why.
    ///   - routing: nil where no plugin calls another.
    public init(ports: [String: InstancePort], closed: [String: String] = [:], routing: (any Routing)? = nil) {
        self.ports = ports
        self.closed = closed
        self.routing = routing
        fixed = FixedRoutes(ports: ports, routing: routing)
    }

    /// Where all calls of a port with one index go, if that is one place.
    @inline(__always)
    func fixedRoute(of caller: CorePointer, call: UInt32) -> UnsafeMutablePointer<FixedRoute>? {
        fixed.route(caller.pointee.number, call)
    }
}
