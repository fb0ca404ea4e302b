// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatreStorage

/// Whether the database takes writes, as the last that went to the disk told.
final class Health: Sendable {
    private struct State {
        /// Why the last write failed.
        var failure: StorageError?
        /// What is damaged, until somebody has verified that it is not.
        var damage: StorageError?

        var current: StorageError? { damage ?? failure }
    }

    private let state = Mutex(State())
    private let report: @Sendable (StorageError?) -> Void

    /// `report` is called where it changes, from any thread: with why nothing can be written, or nil once it can again.
    init(report: @escaping @Sendable (StorageError?) -> Void = { _ in }) { self.report = report }

    /// Why nothing can be written or what is damaged; nil where all is well.
    var current: StorageError? { state.withLock { $0.current } }

    /// Takes the outcome of a group: only one that wrote to the disk tells that it takes writes again.
    func ended(_ outcome: CommitGroup.Outcome) {
        switch outcome {
        case .nothing: return
        case .wrote: change { $0.failure = nil }
        case .failed(let error):
            // An error that is not the storage's says nothing about it.
            guard error.isOfStorage else { return }
            change { state in
                state.failure = error
                if error.reason == "sql.corrupt" { state.damage = error }
            }
        }
    }

    /// Takes an error of whatever was done.
    func found(_ error: StorageError) {
        guard error.isOfStorage else { return }
        change { state in
            if error.reason == "sql.corrupt" { state.damage = error } else { state.failure = error }
        }
    }

    /// Everything was read: what is damaged, or nil.
    func verified(_ finding: String?) {
        change { $0.damage = finding.map { StorageError(.dataLoss, "sql.corrupt", "The database is damaged: \($0).") } }
    }

    private func change(_ body: (inout State) -> Void) {
        let (before, after) = state.withLock { state in
            let before = state.current
            body(&state)
            return (before, state.current)
        }
        if before?.reason != after?.reason { report(after) }
    }
}

extension StorageError {
    /// Whether the database itself is at fault, and not a statement.
    var isOfStorage: Bool {
        ["sql.full", "sql.io", "sql.read_only", "sql.open", "sql.corrupt", "sql.busy"].contains(reason)
    }
}
