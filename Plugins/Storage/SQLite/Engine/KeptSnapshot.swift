// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreStorage

/// The read transaction that a connection keeps open between reads, since to begin and end one costs as much as a point
/// read.
///
/// It is kept only while reads follow close upon each other and nothing was committed in between. What another process
/// commits, of which nobody tells, is seen a few milliseconds later.
struct KeptSnapshot {
    /// Reads further apart than this have a snapshot each.
    private static let closeNanoseconds: UInt64 = 1_000_000
    private static let longestNanoseconds: UInt64 = 5_000_000

    private var commits: UInt64 = 0
    private var lastRead: UInt64 = 0
    private var began: UInt64 = 0
    /// Whether a transaction is open.
    private(set) var isKept = false

    /// Before a read: what it sees is no older than what `commits` counts, which is odd while a commit is under way: one
    /// read may show that already, and the next would not. `now` is in nanoseconds of the monotonic clock.
    mutating func renew(on connection: Connection, commits: UInt64, now: UInt64) throws(StorageError) {
        let isClose = commits & 1 == 0 && commits == self.commits && now < lastRead + Self.closeNanoseconds
        lastRead = now
        self.commits = commits
        if isKept {
            if isClose, now < began + Self.longestNanoseconds { return }
            end(on: connection)
        }
        guard isClose else { return }
        try connection.beginReading()
        isKept = true
        began = now
    }

    /// Ends it, if there is one.
    mutating func end(on connection: Connection) {
        guard isKept else { return }
        isKept = false
        connection.endReading()
    }
}
