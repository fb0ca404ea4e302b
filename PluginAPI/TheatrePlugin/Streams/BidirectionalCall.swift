// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import SwiftProtobuf

/// A call with a stream each way. Dropping it cancels the call.
public struct BidirectionalCall<Request: Message, Response: Message>: Sendable {
    let sink: MessageSink<Request>
    /// What the other end answers, in order; throws what the call failed with.
    public let responses: MessageStream<Response>

    /// Sends one message; suspends while the other end has given no credit.
    ///
    /// - Throws: `PluginError` of the call where it has ended, or `CancellationError`.
    public func send(_ message: Request) async throws {
        try await sink.send(message)
    }

    /// Says that no message follows. The answers still come.
    public func finish() {
        sink.channel.finish()
    }

    /// Gives up the call: ``responses`` throws CANCELLED.
    public func cancel() {
        responses.owner?.cancel()
    }
}
