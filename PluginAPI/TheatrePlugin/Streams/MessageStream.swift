// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import SwiftProtobuf

/// Messages as they come. One consumer at a time; credit is given back as messages are consumed.
///
/// Ends after the last message, or throws what the call failed with. Dropping a client's stream cancels the call.
public struct MessageStream<Element: Message>: AsyncSequence, Sendable {
    let channel: InboundChannel
    let owner: CallOwner?

    /// Hands out the messages in order.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let channel: InboundChannel
        let owner: CallOwner?

        /// The next message, or nil after the last.
        ///
        /// - Throws: `PluginError` of the call, DATA_LOSS `plugin.malformed_message`, or `CancellationError`.
        public mutating func next() async throws -> Element? {
            guard let bytes = try await channel.next() else { return nil }
            do {
                return try Element(serializedBytes: bytes)
            } catch {
                throw PluginError(
                    .dataLoss, "plugin.malformed_message",
                    "A message of the stream is not a \(Element.protoMessageName).")
            }
        }
    }

    /// An iterator over what has not been consumed.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(channel: channel, owner: owner) }
}
