// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// Gathers one whole answer within its bound.
final class FetchDelegate: HTTPClientResponseDelegate, SentTracking {
    typealias Response = HostFetchResponse

    private struct State {
        var wasSent = false
        var response = HostFetchResponse()
    }

    private let state = Mutex(State())
    private let maximumBytes: Int

    init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

    var wasSent: Bool { state.withLock { $0.wasSent } }

    func didSendRequestHead(task: HTTPClient.Task<HostFetchResponse>, _ head: HTTPRequestHead) {
        state.withLock { $0.wasSent = true }
    }

    func didReceiveHead(task: HTTPClient.Task<HostFetchResponse>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        if head.status != .notModified, let length = head.headers.first(name: "content-length").flatMap({ Int($0) }),
            length > maximumBytes
        {
            return task.eventLoop.makeFailedFuture(EgressFailure.TooLarge())
        }
        state.withLock { $0.response = HostFetchResponse(head) }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<HostFetchResponse>, _ part: ByteBuffer) -> EventLoopFuture<Void> {
        let fits = state.withLock { state in
            guard state.response.body.count + part.readableBytes <= maximumBytes else { return false }
            part.withUnsafeReadableBytes { state.response.body.append(contentsOf: $0) }
            return true
        }
        return fits
            ? task.eventLoop.makeSucceededVoidFuture() : task.eventLoop.makeFailedFuture(EgressFailure.TooLarge())
    }

    func didFinishRequest(task: HTTPClient.Task<HostFetchResponse>) -> HostFetchResponse {
        state.withLock { $0.response }
    }
}

/// Knows whether the request's head was written to a connection.
protocol SentTracking: AnyObject, Sendable {
    /// True once any byte of the request may have left.
    var wasSent: Bool { get }
}

extension HostFetchResponse {
    /// Status and headers of an answer.
    init(_ head: HTTPResponseHead) {
        self.init()
        status = UInt32(head.status.code)
        headers = head.headers.map { name, value in
            HostHeader.with {
                $0.name = name.lowercased()
                $0.value = value
            }
        }
    }
}
