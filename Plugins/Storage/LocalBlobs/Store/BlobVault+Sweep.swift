// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

extension BlobVault {
    /// What a sweep did.
    struct Swept: Sendable, Hashable {
        var files = 0
        var incoming = 0
        var uploads = 0
    }

    /// Removes the files that nothing has referred to for a while, and gives up uploads whose time is over.
    ///
    /// A file that is put again while this runs is safe: it gets a new time under the folder's shared lock, and only
    /// files older than the grace period at the start are removed, under the lock for one alone. A row is committed
    /// well within the grace period after its file got its name, so one that is still to come has a young file.
    func sweep(_ rows: BlobRows, at now: Int64) async throws -> Swept {
        let files = files
        let before = files.layer.now - configuration.graceMinutes * 60
        var swept = Swept()
        while true {
            let dropped = try await rows.dropExpired(at: now)
            swept.uploads += dropped
            if dropped < 100 { break }
        }
        swept.incoming = try await threads.run { try files.removeIncoming(before: before) }
        for number in 0...255 {
            let shard = Hex.encode([UInt8(number)])
            let old = try await threads.run { try files.digests(in: shard, before: before) }
            guard !old.isEmpty else { continue }
            let used = try await rows.digests(in: shard)
            let unused = old.filter { !used.contains($0) }
            guard !unused.isEmpty else { continue }
            swept.files += try await threads.run { try files.remove(unused, in: shard, before: before) }
        }
        return swept
    }
}

extension BlobRows {
    /// The digests that blobs and parts refer to, of those that begin with two digits.
    fileprivate func digests(in shard: String) async throws -> Set<String> {
        var used: Set<String> = []
        for table in ["{blobs}", "{parts}"] {
            var last = shard
            while true {
                let rows = try await database.read(
                    """
                    /* tenants: all */
                    SELECT DISTINCT digest FROM \(table) WHERE digest > ?1 AND digest < ?2 ORDER BY digest LIMIT 5000
                    """, last, shard + "g")
                for row in rows {
                    last = try row.text("digest")
                    used.insert(last)
                }
                if rows.count < 5000 { break }
            }
        }
        return used
    }
}
