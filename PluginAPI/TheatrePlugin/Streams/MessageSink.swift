// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import SwiftProtobuf

/// Where a handler, or a client with a two-way call, sends its messages.
///
/// The SDK ends a handler's stream when the handler returns.
public struct MessageSink<Element: Message>: Sendable {
    let channel: OutboundChannel

    /// Sends one message; suspends while the other end has given no credit.
    ///
    /// - Throws: `PluginError` where the call has ended, or `CancellationError`.
    public func send(_ message: Element) async throws {
        try await channel.send(try message.wireBytes())
    }
}
