// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Runtime
import SwiftProtobuf
import Synchronization
import TheatreContracts

/// Keeps a number of typed calls in flight from one event loop, the way the gateway calls: the answer comes on the
/// plugin's thread and is decoded on the loop, which then sends the next call.
///
/// Unchecked: all of it but `complete` runs on the loop.
final class LoopCaller: CallSink, @unchecked Sendable {
    private let loop: any EventLoop
    private let dispatcher: Dispatcher
    private let target: CallTarget
    private let request: HTTPRequest
    private var unsent: Int
    private var unanswered: Int
    private var failure: (any Error)?
    private let done: EventLoopPromise<Void>

    private init(
        _ count: Int, _ loop: any EventLoop, _ dispatcher: Dispatcher, _ target: CallTarget, _ request: HTTPRequest
    ) {
        self.loop = loop
        self.dispatcher = dispatcher
        self.target = target
        self.request = request
        unsent = count
        unanswered = count
        done = loop.makePromise()
    }

    /// Makes `count` calls, `width` at a time.
    static func run(
        _ count: Int, width: Int, _ loop: any EventLoop, _ dispatcher: Dispatcher, _ target: CallTarget,
        _ request: HTTPRequest
    ) async throws {
        let caller = LoopCaller(count, loop, dispatcher, target, request)
        loop.execute { for _ in 0..<width { caller.send() } }
        try await caller.done.futureResult.get()
    }

    private func send() {
        guard unsent > 0 else { return }
        unsent -= 1
        do {
            let bytes: [UInt8] = try request.serializedBytes()
            bytes.withUnsafeBytes { bytes in
                _ = dispatcher.start(OutgoingCall(payload: bytes, context: .system), on: target, sink: self)
            }
        } catch {
            answered(.failure(error))
        }
    }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        let answer: Result<[UInt8], any Error> =
            if let error = result.error { .failure(error) } else { .success(Array(result.payload)) }
        loop.execute { self.answered(answer) }
    }

    private func answered(_ answer: Result<[UInt8], any Error>) {
        do {
            let response = try HTTPResponse(serializedBytes: answer.get())
            if response.body.count != request.body.count { throw BenchmarkFailure("an answer lost its body") }
        } catch {
            failure = failure ?? error
        }
        unanswered -= 1
        guard unanswered == 0 else { return send() }
        if let failure { done.fail(failure) } else { done.succeed(()) }
    }
}
