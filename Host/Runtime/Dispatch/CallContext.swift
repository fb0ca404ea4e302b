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

    /// Encodes `message`; its `caller` is cleared.
    public init(_ message: HostContext) {
        var message = message
        message.caller = ""
        self.message = message
        bytes = (try? message.serializedBytes()) ?? []
    }

    /// Work that no request started: events, timers and the host's own.
    public static let system = CallContext(
        HostContext.with { $0.principalKind = .system })
}
