// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// One direction of a stream as its receiver sees it: chunks queue up within the credit that was given.
final class InboundChannel: Sendable {
    /// What ``deliver(_:)`` and ``end(_:)`` have to do once the lock is free.
    private struct State {
        var chunks: [[UInt8]] = []
        var head = 0
        var sequence: UInt64 = 0
        /// What the sender may still send; a chunk may take it below zero.
        var window = Int64(THEATRE_STREAM_CREDIT)
        /// Taken by the consumer and not yet given back to the sender.
        var owed: Int64 = 0
        var sawEnd = false
        var ending: Result<Void, any Error>?
        var waiter: UnsafeContinuation<[UInt8]?, any Error>?
    }

    /// Given back in portions of this many bytes, so that a small message does not cost a call of its own.
    private static let portion = Int64(THEATRE_STREAM_CREDIT) / 4

    private let state = Mutex(State())
    private let grant: @Sendable (UInt64) -> Void
    /// True for a callee: the END chunk ends the stream. A caller waits for the reply, which may be an error.
    private let endsWithChunk: Bool

    /// Called where the consumer's task is cancelled while it waits.
    private let abandoned: @Sendable () -> Void

    init(
        endsWithChunk: Bool, grant: @escaping @Sendable (UInt64) -> Void,
        abandoned: @escaping @Sendable () -> Void = {}
    ) {
        self.endsWithChunk = endsWithChunk
        self.grant = grant
        self.abandoned = abandoned
    }

    /// A chunk arrived, on any thread.
    func deliver(_ chunk: theatre_chunk) -> theatre_code {
        let size = chunk.data.buffer.count
        let isEnd = chunk.flags & THEATRE_CHUNK_END != 0
        return state.withLock { state in
            if state.ending != nil { return THEATRE_NOT_FOUND }
            guard chunk.seq == state.sequence, !state.sawEnd else {
                let error = PluginError(
                    .dataLoss, "plugin.stream_gap", "A message of the stream is missing or repeated.")
                Self.finish(&state, .failure(error))
                return THEATRE_INVALID_ARGUMENT
            }
            guard state.window > 0 || size == 0 else { return THEATRE_RESOURCE_EXHAUSTED }
            state.sequence += 1
            state.window -= Int64(size)
            state.sawEnd = isEnd
            if size > 0 || !isEnd { Self.hand(&state, chunk.data.copy) }
            if isEnd, endsWithChunk { Self.finish(&state, .success(())) }
            return THEATRE_OK
        }
    }

    /// The stream is over: normally, or with what the call failed with. The first ending counts.
    func end(_ result: Result<Void, any Error>) {
        state.withLock { Self.finish(&$0, result) }
    }

    /// The next chunk; nil at the end. What is queued comes first, an error of the ending after it.
    func next() async throws -> [UInt8]? {
        if let chunk = try take() { return chunk }
        return try await withTaskCancellationHandler {
            let chunk = try await withUnsafeThrowingContinuation { wait($0) }
            if let chunk { settle(chunk.count) }
            return chunk
        } onCancel: {
            end(.failure(CancellationError()))
            abandoned()
        }
    }

    /// A queued chunk, or nil where the caller has to wait or the stream is over.
    private func take() throws -> [UInt8]? {
        let chunk = state.withLock { Self.pop(&$0) }
        if let chunk { settle(chunk.count) }
        return chunk
    }

    private func wait(_ continuation: UnsafeContinuation<[UInt8]?, any Error>) {
        state.withLock { state in
            if let chunk = Self.pop(&state) {
                continuation.resume(returning: chunk)
            } else if let ending = state.ending {
                continuation.resume(with: ending.map { nil })
            } else if state.waiter != nil {
                let error = PluginError(
                    .failedPrecondition, "plugin.stream_shared", "A stream has one consumer at a time.")
                continuation.resume(throwing: error)
            } else {
                state.waiter = continuation
            }
        }
    }

    /// Gives credit back for what was consumed, in portions.
    private func settle(_ size: Int) {
        let portion = state.withLock { state -> Int64 in
            state.owed += Int64(size)
            guard state.owed >= Self.portion, state.ending == nil, !state.sawEnd else { return 0 }
            defer { state.owed = 0 }
            state.window += state.owed
            return state.owed
        }
        if portion > 0 { grant(UInt64(portion)) }
    }

    private static func hand(_ state: inout State, _ bytes: [UInt8]) {
        if let waiter = state.waiter {
            state.waiter = nil
            waiter.resume(returning: bytes)
        } else {
            state.chunks.append(bytes)
        }
    }

    private static func finish(_ state: inout State, _ result: Result<Void, any Error>) {
        guard state.ending == nil else { return }
        state.ending = result
        guard let waiter = state.waiter else { return }
        state.waiter = nil
        waiter.resume(with: result.map { nil })
    }

    private static func pop(_ state: inout State) -> [UInt8]? {
        guard state.head < state.chunks.count else { return nil }
        let chunk = state.chunks[state.head]
        state.chunks[state.head] = []
        state.head += 1
        if state.head == state.chunks.count {
            state.chunks.removeAll(keepingCapacity: true)
            state.head = 0
        }
        return chunk
    }
}
