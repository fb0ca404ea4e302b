// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// One direction of a stream as its sender sees it: numbered chunks, sent one at a time, while there is credit.
final class OutboundChannel: Sendable {
    private struct State {
        var credit = Int64(THEATRE_STREAM_CREDIT)
        var sequence: UInt64 = 0
        var isSending = false
        /// Counts grants, so that one that came while the host said "no credit" is not lost.
        var grants: UInt64 = 0
        var isBlocked = false
        var isFinished = false
        var closed: (any Error)?
        var waiters: [(id: UInt64, continuation: UnsafeContinuation<Void, any Error>)] = []
        var nextWaiter: UInt64 = 0

        var isFree: Bool { !isSending && credit > 0 && !isBlocked }
    }

    private struct Turn {
        let sequence: UInt64
        let grants: UInt64
    }

    private let state = Mutex(State())
    private let transmit: @Sendable (UnsafePointer<theatre_chunk>) -> theatre_code

    init(_ transmit: @escaping @Sendable (UnsafePointer<theatre_chunk>) -> theatre_code) {
        self.transmit = transmit
    }

    /// Sends one chunk; suspends while there is no credit.
    func send(_ bytes: [UInt8]) async throws {
        while true {
            guard let turn = try begin(size: bytes.count) else {
                try await waitForTurn()
                continue
            }
            if try transmit(bytes, turn) { return }
        }
    }

    /// Says that nothing follows. Again, or after the end of the call: nothing.
    func finish() {
        let turn = state.withLock { state -> Turn? in
            guard !state.isFinished, state.closed == nil else { return nil }
            state.isFinished = true
            return Turn(sequence: state.sequence, grants: state.grants)
        }
        guard let turn else { return }
        var chunk = theatre_chunk.sized
        chunk.flags = THEATRE_CHUNK_END
        chunk.seq = turn.sequence
        // An end needs no credit. A call that is over already needs no end.
        _ = transmit(&chunk)
        close(
            PluginError(.failedPrecondition, "plugin.stream_finished", "The stream was finished before this message."))
    }

    /// The other end takes this many bytes more.
    func grant(_ bytes: UInt64) {
        state.withLock { state in
            let (sum, overflow) = state.credit.addingReportingOverflow(Int64(clamping: bytes))
            state.credit = overflow ? .max : sum
            state.grants &+= 1
            state.isBlocked = false
            Self.wake(&state)
        }
    }

    /// Nothing more can be sent: senders that wait throw `error`.
    func close(_ error: any Error) {
        let waiters = state.withLock { state in
            if state.closed == nil { state.closed = error }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(throwing: error) }
    }

    /// The right to send one chunk, or nil where the caller has to wait.
    private func begin(size: Int) throws -> Turn? {
        try state.withLock { state in
            if let closed = state.closed { throw closed }
            guard state.isFree || (size == 0 && !state.isSending) else { return nil }
            state.isSending = true
            state.credit -= Int64(size)
            return Turn(sequence: state.sequence, grants: state.grants)
        }
    }

    /// True where the chunk went out; false where the host had no credit for it after all.
    private func transmit(_ bytes: [UInt8], _ turn: Turn) throws -> Bool {
        let code = bytes.withUnsafeBytes { buffer in
            var chunk = theatre_chunk.sized
            chunk.seq = turn.sequence
            chunk.data = theatre_bytes(buffer)
            return transmit(&chunk)
        }
        switch code {
        case THEATRE_OK:
            endTurn { $0.sequence += 1 }
            return true
        case THEATRE_RESOURCE_EXHAUSTED:
            endTurn {
                $0.credit += Int64(bytes.count)
                $0.isBlocked = $0.grants == turn.grants
            }
            return false
        default:
            endTurn { _ in }
            let closed = state.withLock { $0.closed }
            throw closed ?? PluginError(.cancelled, "plugin.stream_closed", "The other end of the stream is gone.")
        }
    }

    private func endTurn(_ change: (inout State) -> Void) {
        state.withLock { state in
            change(&state)
            state.isSending = false
            Self.wake(&state)
        }
    }

    private func waitForTurn() async throws {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                enqueue(id, continuation)
            }
        } onCancel: {
            abandon(id)
        }
    }

    private func enqueue(_ id: UInt64, _ continuation: UnsafeContinuation<Void, any Error>) {
        state.withLock { state in
            if let closed = state.closed {
                continuation.resume(throwing: closed)
            } else if Task.isCancelled {
                continuation.resume(throwing: CancellationError())
            } else if state.isFree {
                continuation.resume()
            } else {
                state.waiters.append((id, continuation))
            }
        }
    }

    private func abandon(_ id: UInt64) {
        state.withLock { state in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return }
            state.waiters.remove(at: index).continuation.resume(throwing: CancellationError())
        }
    }

    private static func wake(_ state: inout State) {
        guard state.isFree, !state.waiters.isEmpty else { return }
        state.waiters.removeFirst().continuation.resume()
    }
}
