// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Runtime
import SwiftProtobuf
import Synchronization
import TheatreContracts

/// Keeps a number of typed calls in flight from one event loop, the way the gateway calls: a sink for each call, whose
/// answer comes on the plugin's thread and is decoded on the loop, which then sends the next call. Answers that wait are
/// taken in one turn.
///
/// Unchecked: all of it but `post` runs on the loop.
final class LoopCaller: @unchecked Sendable {
    private let loop: any EventLoop
    private let dispatcher: Dispatcher
    private let target: CallTarget
    private let request: HTTPRequest
    private var unsent: Int
    private var unanswered: Int
    private var failure: (any Error)?
    private let done: EventLoopPromise<Void>
    private let waiting = Mutex<[LoopCall]>([])
    private var delivered: [LoopCall] = []

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
                _ = dispatcher.start(OutgoingCall(payload: bytes, context: .system), on: target, sink: LoopCall(self))
            }
        } catch {
            answered(.failure(error))
        }
    }

    /// A call was answered. Any thread.
    fileprivate func post(_ call: LoopCall) {
        let isFirst = waiting.withLock { waiting in
            waiting.append(call)
            return waiting.count == 1
        }
        if isFirst { loop.execute { self.deliver() } }
    }

    private func deliver() {
        waiting.withLock { swap(&$0, &delivered) }
        for call in delivered { answered(call.answer) }
        delivered.removeAll(keepingCapacity: true)
    }

    private func answered(_ answer: LoopCall.Answer) {
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

/// One call.
///
/// Unchecked: `answer` is written before the call is posted, and read after.
private final class LoopCall: CallSink, @unchecked Sendable {
    typealias Answer = Result<[UInt8], any Error>

    private let caller: LoopCaller
    private(set) var answer: Answer = .success([])

    init(_ caller: LoopCaller) { self.caller = caller }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        answer = if let error = result.error { .failure(error) } else { .success(Array(result.payload)) }
        caller.post(self)
    }
}
