// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreContracts

/// Gathers outcomes while a call is under way and sends them together: one commit for as many as came meanwhile.
struct FinishBatches: ActionState {
    /// An outcome and the number of the queue that is told.
    struct Entry: Sendable {
        var outcome: JobsJobOutcome
        var run: Int
    }

    enum Input: Sendable {
        case add(Entry)
        /// The store has what was sent.
        case stored
        case failed
        /// The wait is over.
        case again
    }

    enum Action: Sendable {
        case send([Entry])
        /// These are settled, or given up: their leases run out.
        case settled([Entry])
        /// Nobody will learn how these ended.
        case giveUp(Int)
        case wait(Int64)
    }

    /// Outcomes in one call.
    static let most = 1000
    /// Failures after which a batch is given up; by then its leases have run out, or soon will.
    static let attempts = 5

    private var gathered: [Entry] = []
    private var sent: [Entry] = []
    private var isWaiting = false
    private var backoff = Backoff()

    mutating func handle(_ input: Input) -> [Action] {
        switch input {
        case .add(let entry):
            gathered.append(entry)
            return sent.isEmpty ? send() : []
        case .stored: return settle()
        case .failed:
            guard backoff.failures + 1 < Self.attempts else {
                let count = sent.count
                return [.giveUp(count)] + settle()
            }
            isWaiting = true
            return [.wait(backoff.fail())]
        case .again:
            guard isWaiting else { return [] }
            isWaiting = false
            return [.send(sent)]
        }
    }

    private mutating func settle() -> [Action] {
        backoff.reset()
        let settled = sent
        sent = []
        return [.settled(settled)] + send()
    }

    private mutating func send() -> [Action] {
        guard !gathered.isEmpty else { return [] }
        sent = Array(gathered.prefix(Self.most))
        gathered.removeFirst(sent.count)
        return [.send(sent)]
    }
}
