// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A state machine that takes inputs one at a time and says what to do.
protocol ActionState: Sendable {
    associatedtype Input: Sendable
    associatedtype Action: Sendable
    /// Goes on by one input.
    mutating func handle(_ input: Input) -> [Action]
}

/// Feeds a machine from any thread and performs its actions in order, outside the lock, without recursion: an action
/// that completes inline only queues its input.
final class ActionLoop<State: ActionState>: Sendable {
    private struct Guarded {
        var state: State
        var inputs: [State.Input] = []
        var isRunning = false
    }

    private let guarded: Mutex<Guarded>

    init(_ state: State) { guarded = Mutex(Guarded(state: state)) }

    /// Takes `input`; `perform` is called for what follows, here or on the thread that is already at it.
    func post(_ input: State.Input, _ perform: (State.Action) -> Void) {
        let isFirst = guarded.withLock { guarded in
            guarded.inputs.append(input)
            defer { guarded.isRunning = true }
            return !guarded.isRunning
        }
        guard isFirst else { return }
        while let actions = step() {
            for action in actions { perform(action) }
        }
    }

    /// A look at the state.
    func read<Result: Sendable>(_ body: (borrowing State) -> Result) -> Result { guarded.withLock { body($0.state) } }

    private func step() -> [State.Action]? {
        guarded.withLock { guarded in
            guard !guarded.inputs.isEmpty else {
                guarded.isRunning = false
                return nil
            }
            return guarded.state.handle(guarded.inputs.removeFirst())
        }
    }
}
