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
    let hostBytes: [UInt8]
    /// Where the request's trace stands, read from `traceparent`.
    let trace: SpanIdentity?

    /// Encodes `message`; its `caller` is cleared.
    public init(_ message: HostContext) {
        var message = message
        message.caller = ""
        self.message = message
        bytes = (try? message.serializedBytes()) ?? []
        hostBytes = bytes + Self.callerField("host")
        trace = message.traceparent.isEmpty ? nil : SpanIdentity(traceparent: message.traceparent)
    }

    /// Field 18 of the message. Appended, it wins over one before.
    static func callerField(_ name: String) -> [UInt8] {
        var field: [UInt8] = [0x92, 0x01]
        var size = name.utf8.count
        while size >= 0x80 {
            field.append(UInt8(truncatingIfNeeded: size) | 0x80)
            size >>= 7
        }
        field.append(UInt8(size))
        return field + name.utf8
    }

    /// Work that no request started: events, timers and the host's own.
    public static let system = CallContext(
        HostContext.with { $0.principalKind = .system })
}
