// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
public import TheatreContracts

/// The context that a call and all calls on its behalf carry, encoded once.
public final class CallContext: Sendable {
    /// As a message.
    public let message: HostContext
    /// As `theatre_request.context`, without `caller`, which the dispatcher appends.
    public let bytes: [UInt8]
    /// `bytes` with the host as caller.
    nonisolated(unsafe) let hostBytes: UnsafeRawBufferPointer
    /// The part of `hostBytes` that is `bytes`.
    nonisolated(unsafe) let head: UnsafeRawBufferPointer
    /// Where the request's trace stands, read from `traceparent`.
    let trace: SpanIdentity?

    /// Encodes `message`; its `caller` is cleared.
    public init(_ message: HostContext) {
        var message = message
        // Each write copies the message, so only what is there is cleared.
        if !message.caller.isEmpty { message.caller = "" }
        if !message.publishes.isEmpty { message.publishes = "" }
        if !message.profile.isEmpty { message.profile = "" }
        if !message.parameters.isEmpty { message.parameters = "" }
        self.message = message
        let encoded: [UInt8] = (try? message.serializedBytes()) ?? []
        bytes = encoded
        // Written here and freed at the end, never changed.
        let whole = UnsafeMutableRawBufferPointer.allocate(
            byteCount: encoded.count + Self.hostField.count, alignment: 1)
        whole.copyBytes(from: encoded)
        UnsafeMutableRawBufferPointer(rebasing: whole[encoded.count...]).copyBytes(from: Self.hostField)
        hostBytes = UnsafeRawBufferPointer(whole)
        head = UnsafeRawBufferPointer(rebasing: hostBytes[..<encoded.count])
        trace = message.traceparent.isEmpty ? nil : SpanIdentity(traceparent: message.traceparent)
    }

    deinit { hostBytes.deallocate() }

    private static let hostField = fields(HostContext.with { $0.caller = "host" })

    /// What the context of a callee says of its caller and of the profile its route chose. Appended to ``bytes``, these
    /// fields win over any before.
    public static func fields(of caller: InstanceIdentity, profile: String = "", parameters: String = "") -> [UInt8] {
        fields(
            HostContext.with {
                $0.caller = caller.instance
                $0.publishes = caller.grants.publishes.sorted().joined(separator: ",")
                $0.profile = profile
                $0.parameters = parameters
            })
    }

    private static func fields(_ message: HostContext) -> [UInt8] { (try? message.serializedBytes()) ?? [] }

    /// Work that no request started: events, timers and the host's own.
    public static let system = CallContext(
        HostContext.with { $0.principalKind = .system })
}
