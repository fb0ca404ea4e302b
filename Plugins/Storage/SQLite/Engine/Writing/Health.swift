// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatreStorage

/// Whether the database takes writes, as the last write told.
final class Health: Sendable {
    private let failure = Mutex<StorageError?>(nil)
    private let report: @Sendable (StorageError?) -> Void

    /// `report` is called where it changes, from any thread: with why nothing can be written, or nil once it can again.
    init(report: @escaping @Sendable (StorageError?) -> Void = { _ in }) { self.report = report }

    /// Why nothing can be written; nil where it can.
    var current: StorageError? { failure.withLock { $0 } }

    /// Takes the outcome of a write: an error of the storage, or nil where there was none.
    func wrote(_ error: StorageError?) {
        let isStorage = error?.isOfStorage ?? false
        // An error that is not the storage's says nothing about it.
        if error != nil, !isStorage { return }
        let changed = failure.withLock { failure in
            defer { failure = error }
            return failure?.reason != error?.reason
        }
        if changed { report(error) }
    }
}

extension StorageError {
    /// Whether the database itself is at fault, and not a statement.
    var isOfStorage: Bool {
        ["sql.full", "sql.io", "sql.read_only", "sql.open", "sql.corrupt"].contains(reason)
    }
}
