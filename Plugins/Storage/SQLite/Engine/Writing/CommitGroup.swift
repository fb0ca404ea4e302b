// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreStorage

/// Transactions that run one after another in one transaction of SQLite, each undone by itself if it fails, and that are
/// acknowledged together once it is on disk.
struct CommitGroup {
    private let connection: Connection
    /// Ran well and wait for the commit.
    private var ready: [any GroupMember] = []
    private var failed: [(member: any GroupMember, error: any Error)] = []
    /// Whether SQLite has a transaction open.
    private var isOpen = false
    /// Why none could be opened: whoever else waits need not wait as long again.
    private var closed: StorageError?

    init(_ connection: Connection) { self.connection = connection }

    /// Whether no transaction can begin.
    var isRefused: Bool { closed != nil }

    /// How many ran.
    var count: Int { ready.count + failed.count }

    /// Runs `member`; where it takes the whole transaction down, the others run again.
    mutating func run(_ member: any GroupMember) {
        var waiting: [any GroupMember] = [member]
        while !waiting.isEmpty {
            let member = waiting.removeFirst()
            guard begin(member) else { continue }
            let isFirst = ready.isEmpty
            do {
                if !isFirst { try connection.execute("SAVEPOINT member") }
                try member.run(on: connection)
                try connection.checkDeferredKeys()
                if !isFirst { try connection.execute("RELEASE member") }
                ready.append(member)
            } catch {
                failed.append((member, error))
                waiting += undo(isFirst: isFirst, after: error)
            }
        }
    }

    /// Opens the transaction where there is none; false where that failed.
    private mutating func begin(_ member: any GroupMember) -> Bool {
        guard !isOpen else { return true }
        if let closed {
            failed.append((member, closed))
            return false
        }
        do {
            // Another process may hold the lock for long; whoever has gone meanwhile waits no more.
            try connection.serving(while: { member.isWanted }) { try connection.execute("BEGIN IMMEDIATE") }
            isOpen = true
            return true
        } catch {
            if let error = error as? StorageError, error.reason != "sql.cancelled" { closed = error }
            failed.append((member, error))
            return false
        }
    }

    /// Leaves nothing of the member that failed; gives those that must run again because SQLite undid them too.
    private mutating func undo(isFirst: Bool, after error: any Error) -> [any GroupMember] {
        if !isFirst, connection.isInTransaction {
            do throws(StorageError) {
                try connection.execute("ROLLBACK TO member")
                try connection.execute("RELEASE member")
                return []
            } catch { connection.rollback() }
        }
        connection.rollback()
        isOpen = false
        let lost = ready
        ready = []
        for member in lost where !member.isRepeatable { failed.append((member, Self.undone)) }
        return lost.filter(\.isRepeatable)
    }

    private static let undone = StorageError(
        .aborted, "sql.serialization", "Another transaction took this one down with it; begin again.", retry: .safe)

    /// What a group tells of the disk.
    enum Outcome: Equatable {
        /// It took pages.
        case wrote
        /// Nothing went to it.
        case nothing
        case failed(StorageError)
    }

    /// Commits and tells every member, after `note`: who was told finds noted what came of it.
    mutating func commit(_ note: (Outcome) -> Void = { _ in }) {
        defer {
            ready = []
            failed = []
        }
        var failure: StorageError?
        connection.forgetPagesWritten()
        if isOpen, !ready.isEmpty {
            do throws(StorageError) {
                try connection.execute("COMMIT")
            } catch {
                failure = error.ofCommit
            }
        }
        // A commit can succeed with nothing to write, even where every row was changed to what it was.
        let wrote = failure == nil && connection.pagesWritten > 0
        connection.rollback()
        isOpen = false
        let found = failure ?? failed.lazy.compactMap { $0.error as? StorageError }.first { $0.isOfStorage }
        note(found.map { .failed($0) } ?? (wrote ? .wrote : .nothing))
        for member in ready { member.settle(failure) }
        // What failed may have failed on what the commit did not keep.
        for (member, error) in failed { member.settle(failure ?? error) }
    }
}

extension StorageError {
    /// The error of a COMMIT: where the disk failed, nobody knows what of it is there after a crash.
    fileprivate var ofCommit: StorageError {
        var error = self
        if ["sql.io", "sql.read_only"].contains(reason) || code == .internal { error.effect = .unknown }
        return error
    }
}
