// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import Synchronization
public import TheatreContracts

/// The context that a call and all calls on its behalf carry, encoded once and decoded where somebody asks.
public final class CallContext: Sendable {
    /// `bytes` with the host as caller.
    nonisolated(unsafe) let hostBytes: UnsafeRawBufferPointer
    /// The part of `hostBytes` that is `bytes`.
    nonisolated(unsafe) let head: UnsafeRawBufferPointer
    /// Where the request's trace stands.
    let trace: SpanIdentity?
    private let known: HostContext?
    /// The call of another host that this one is served for; 0 for this host's own.
    public let origin: UInt64
    private let decoded = Mutex<HostContext?>(nil)

    /// Encodes `message`; its `caller` is cleared.
    public init(_ message: HostContext) {
        origin = 0
        var message = message
        // Each write copies the message, so only what is there is cleared.
        if !message.caller.isEmpty { message.caller = "" }
        if !message.publishes.isEmpty { message.publishes = "" }
        if !message.queues.isEmpty { message.queues = "" }
        if !message.profile.isEmpty { message.profile = "" }
        if !message.parameters.isEmpty { message.parameters = "" }
        known = message
        let encoded = message.bytes
        hostBytes = Self.join(encoded, [], [], nil)
        head = UnsafeRawBufferPointer(rebasing: hostBytes[..<encoded.count])
        trace = message.traceparent.isEmpty ? nil : SpanIdentity(traceparent: message.traceparent)
    }

    /// A request's context of ready parts, without encoding a message a request.
    ///
    /// - Parameters:
    ///   - route: encoded fields of `theatre.host.v1.Context` that every request of a route has in common.
    ///   - principal: encoded fields of who asks.
    ///   - rest: encoded fields of this request; none of the three holds `traceparent` or `caller`.
    ///   - trace: written as `traceparent`.
    public init(route: [UInt8], principal: [UInt8], rest: [UInt8], trace: SpanIdentity) {
        known = nil
        origin = 0
        hostBytes = Self.join(route, principal, rest, trace)
        head = UnsafeRawBufferPointer(rebasing: hostBytes[..<(hostBytes.count - Self.hostField.count)])
        self.trace = trace
    }

    /// The context of a call as another host made it, its caller included.
    ///
    /// - Parameter origin: that host's id of the call.
    public init(received bytes: [UInt8], origin: UInt64) {
        known = nil
        self.origin = origin
        hostBytes = keptCopy(bytes)
        head = hostBytes
        trace = nil
    }

    deinit { hostBytes.deallocate() }

    /// As a message.
    public var message: HostContext {
        if let known { return known }
        return decoded.withLock { decoded in
            if let decoded { return decoded }
            let message = HostContext(hostBytes: bytes)
            decoded = message
            return message
        }
    }

    /// As `theatre_request.context`, without `caller`, which the dispatcher appends.
    public var bytes: [UInt8] { [UInt8](head) }

    /// All parts and the host as caller in one piece, written here and freed at the end, never changed.
    private static func join(
        _ first: [UInt8], _ second: [UInt8], _ third: [UInt8], _ trace: SpanIdentity?
    ) -> UnsafeRawBufferPointer {
        let traced = trace == nil ? 0 : SpanIdentity.fieldSize
        let whole = UnsafeMutableBufferPointer<UInt8>.allocate(
            capacity: first.count + second.count + third.count + traced + hostField.count)
        var end = whole.initialize(fromContentsOf: first)
        end = whole[end...].initialize(fromContentsOf: second)
        end = whole[end...].initialize(fromContentsOf: third)
        if let trace, let start = whole.baseAddress {
            trace.writeField(to: start + end)
            end += traced
        }
        _ = whole[end...].initialize(fromContentsOf: hostField)
        return UnsafeRawBufferPointer(whole)
    }

    private static let hostField = HostContext.with { $0.caller = "host" }.bytes

    /// What the context of a callee says of its caller and of the profile its route chose. Appended to ``bytes``, these
    /// fields win over any before.
    public static func fields(of caller: InstanceIdentity, profile: String = "", parameters: String = "") -> [UInt8] {
        HostContext.with {
            $0.caller = caller.instance
            $0.publishes = caller.grants.publishes.sorted().joined(separator: ",")
            $0.queues = caller.queues.joined(separator: ",")
            $0.profile = profile
            $0.parameters = parameters
        }.bytes
    }

    /// Bytes of ``writeNoAnswer(to:)``.
    static let noAnswerSize = 3

    /// Writes field 17, `answer_required`, as false; it wins over the one before.
    @inline(__always)
    static func writeNoAnswer(to out: UnsafeMutablePointer<UInt8>) {
        out[0] = 0x88
        out[1] = 0x01
        out[2] = 0x00
    }

    /// Work that no request started: events, timers and the host's own.
    public static let system = CallContext(
        HostContext.with { $0.principalKind = .system })
}
