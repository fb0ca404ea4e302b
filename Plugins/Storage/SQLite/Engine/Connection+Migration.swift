// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import TheatreStorage

/// Statements of migrations, as many as their text has.
extension Connection {
    /// Runs all statements of a migration's text, as the namespace.
    func runMigration(_ text: SQLText, in namespace: Namespace) throws(StorageError) {
        authorizer.namespace = namespace
        authorizer.mode = .migrate
        defer { authorizer.mode = .engine }
        var rest = Array(text.sql.utf8CString)[...]
        while rest.count > 1 {
            guard let consumed = try runFirst(of: rest) else { return }
            rest = rest.dropFirst(consumed)
        }
    }

    /// Runs the first statement of `text` and gives its length; nil where only white space and comments are left.
    private func runFirst(of text: ArraySlice<CChar>) throws(StorageError) -> Int? {
        guard let handle else { throw .closed }
        var statement: OpaquePointer?
        authorizer.refusal = nil
        var consumed = 0
        let code = text.withUnsafeBufferPointer { buffer in
            var tail: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v2(handle, buffer.baseAddress, Int32(buffer.count), &statement, &tail)
            if let tail, let base = buffer.baseAddress { consumed = base.distance(to: tail) }
            return code
        }
        guard code == SQLITE_OK else { throw failure(code) }
        guard let statement else { return nil }
        defer { sqlite3_finalize(statement) }
        var step = sqlite3_step(statement)
        while step == SQLITE_ROW { step = sqlite3_step(statement) }
        guard step == SQLITE_DONE else { throw failure(step) }
        return consumed
    }
}
