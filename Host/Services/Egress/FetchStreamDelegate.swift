// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// Hands an answer on as it comes: no part is asked for before the one before it was taken.
final class FetchStreamDelegate: HTTPClientResponseDelegate, SentTracking {
    typealias Response = Void

    /// Bytes in one message of the stream.
    static let chunkBytes = 16 << 10

    private let sent = Atomic(false)
    private let bytes = Atomic(0)
    private let maximumBytes: Int
    private let queue: OutgoingQueue

    init(_ queue: OutgoingQueue, maximumBytes: Int) {
        self.queue = queue
        self.maximumBytes = maximumBytes
    }

    var wasSent: Bool { sent.load(ordering: .acquiring) }
    /// Body bytes that came.
    var received: Int { bytes.load(ordering: .relaxed) }

    func didSendRequestHead(task: HTTPClient.Task<Void>, _ head: HTTPRequestHead) {
        sent.store(true, ordering: .releasing)
    }

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        offer([HostFetchPart.with { $0.head = HostFetchResponse(head) }], on: task.eventLoop)
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ part: ByteBuffer) -> EventLoopFuture<Void> {
        let (_, total) = bytes.add(part.readableBytes, ordering: .relaxed)
        guard total <= maximumBytes else { return task.eventLoop.makeFailedFuture(EgressFailure.TooLarge()) }
        var parts: [HostFetchPart] = []
        var rest = part
        while rest.readableBytes > 0,
            let slice = rest.readSlice(length: min(Self.chunkBytes, rest.readableBytes))
        {
            parts.append(HostFetchPart.with { $0.data.append(contentsOf: slice.readableBytesView) })
        }
        return offer(parts, on: task.eventLoop)
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) {}

    private func offer(_ parts: [HostFetchPart], on loop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        do {
            queue.offer(try parts.map { try encoded($0) }) { promise.completeWith($0) }
        } catch {
            promise.fail(error)
        }
        return promise.futureResult
    }
}
