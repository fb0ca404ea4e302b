// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime
internal import Synchronization

/// Messages on their way into a call's outgoing stream, held back while there is no credit.
final class OutgoingQueue: Sendable {
    typealias Taken = @Sendable (Result<Void, any Error>) -> Void

    private struct State {
        var waiting: [(message: [UInt8], taken: Taken?)] = []
        var isPumping = false
        /// Credit came while the pump was between asking and stopping.
        var mustAskAgain = false
        var isClosed = false
    }

    private let state = Mutex(State())
    private let call: any HostCall

    /// Takes the call's credit for itself.
    init(_ call: any HostCall) {
        self.call = call
        call.onCredit { [weak self] in self?.pump() }
    }

    /// Queues `messages`; `taken` is called when the last of them was sent, or the queue was closed.
    func offer(_ messages: [[UInt8]], _ taken: @escaping Taken) {
        guard let last = messages.last else { return taken(.success(())) }
        let isOpen = state.withLock { state in
            guard !state.isClosed else { return false }
            state.waiting += messages.dropLast().map { ($0, nil) }
            state.waiting.append((last, taken))
            return true
        }
        isOpen ? pump() : taken(.failure(Closed()))
    }

    /// Drops what waits.
    func close() {
        let dropped = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for entry in dropped { entry.taken?(.failure(Closed())) }
    }

    private func pump() {
        let isFirst = state.withLock { state in
            defer { state.isPumping = true }
            state.mustAskAgain = state.mustAskAgain || state.isPumping
            return !state.isPumping
        }
        guard isFirst else { return }
        // `send` runs outside the lock: it may call back.
        while let message = next() {
            if call.send(message, end: false) {
                take()
            } else if mustStop() {
                return
            }
        }
    }

    private func next() -> [UInt8]? {
        state.withLock { state in
            state.mustAskAgain = false
            state.isPumping = !state.waiting.isEmpty
            return state.waiting.first?.message
        }
    }

    private func take() {
        let taken = state.withLock { state in state.waiting.isEmpty ? nil : state.waiting.removeFirst().taken }
        taken?(.success(()))
    }

    private func mustStop() -> Bool {
        state.withLock { state in
            guard !state.mustAskAgain else { return false }
            state.isPumping = false
            return true
        }
    }

    /// The stream ended before the message was taken.
    struct Closed: Error {}
}
