// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreStorage

/// Whether the database takes writes, as the last that went to the disk told.
final class Health: Sendable {
    private let condition: StorageCondition

    /// `report` is called where it changes, from any thread: with why nothing can be written, or nil once it can again.
    init(report: @escaping @Sendable (StorageError?) -> Void = { _ in }) {
        condition = StorageCondition(report: report)
    }

    /// Why nothing can be written or what is damaged; nil where all is well.
    var current: StorageError? { condition.worst }

    /// Takes the outcome of a group: only one that wrote to the disk tells that it takes writes again.
    func ended(_ outcome: CommitGroup.Outcome) {
        switch outcome {
        case .nothing: return
        case .wrote: condition.change { $0.failure = nil }
        case .failed(let error):
            // An error that is not the storage's says nothing about it.
            guard error.isOfStorage else { return }
            condition.change { faults in
                faults.failure = error
                if error.reason == "sql.corrupt" { faults.damage = error }
            }
        }
    }

    /// Takes an error of whatever was done.
    func found(_ error: StorageError) {
        guard error.isOfStorage else { return }
        condition.change { faults in
            if error.reason == "sql.corrupt" { faults.damage = error } else { faults.failure = error }
        }
    }

    /// Everything was read: what is damaged, or nil.
    func verified(_ finding: String?) {
        condition.change { faults in
            faults.damage = finding.map { StorageError(.dataLoss, "sql.corrupt", "The database is damaged: \($0).") }
        }
    }
}

extension StorageError {
    /// Whether the database itself is at fault, and not a statement.
    var isOfStorage: Bool {
        ["sql.full", "sql.io", "sql.read_only", "sql.open", "sql.corrupt", "sql.busy"].contains(reason)
    }
}
