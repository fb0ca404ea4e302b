// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
internal import SwiftProtobuf
public import TheatreContracts

/// The bytes of a blob as they are read. One consumer; dropping it ends the reading.
public struct BlobDownload: AsyncSequence, Sendable {
    /// What is known of the blob.
    public let info: BlobBlobInfo
    let messages: MessageStream<BlobGetResponse>

    /// Hands out the bytes in order.
    public struct AsyncIterator: AsyncIteratorProtocol {
        var messages: MessageStream<BlobGetResponse>.AsyncIterator

        /// The next bytes, or nil after the last.
        ///
        /// - Throws: DATA_LOSS `blob.corrupt` where what came is not what was put, or `CancellationError`.
        public mutating func next() async throws -> Data? {
            while let message = try await messages.next() {
                if case .data(let bytes)? = message.part { return bytes }
            }
            return nil
        }
    }

    /// An iterator over what has not been consumed.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(messages: messages.makeAsyncIterator()) }
}
