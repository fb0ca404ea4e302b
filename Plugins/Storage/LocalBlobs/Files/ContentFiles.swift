// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization
import TheatrePlugin

/// Files named by the digest of what is in them: `content/ab/cdef…`, and those being written in `incoming`.
///
/// A file gets its name when its bytes are durable, and has it durably before anything refers to it. Everything blocks.
struct ContentFiles: Sendable {
    let layer: any FileLayer
    /// Whether the disk takes writes, as those that failed told.
    let health = DiskHealth()
    let root: String
    private let shards = Shards()

    /// The folders known to be there durably.
    private final class Shards: Sendable {
        let known = Mutex<Set<String>>([])
    }

    /// - Parameter root: a folder that is there.
    init(_ layer: any FileLayer, root: String) {
        self.layer = HeededFiles(layer: layer, health: health)
        self.root = root
    }

    private var content: String { "\(root)/content" }
    var incoming: String { "\(root)/incoming" }
    private func shard(_ digest: String) -> String { "\(content)/\(digest.prefix(2))" }
    private func path(_ digest: String) -> String { "\(shard(digest))/\(digest.dropFirst(2))" }

    /// Makes the folders.
    func prepare() throws {
        try layer.makeFolder(content)
        try layer.makeFolder(incoming)
        try layer.syncFolder(root)
    }

    /// A file to write to.
    func begin(_ name: String) throws -> ContentWriter {
        let path = "\(incoming)/\(name)"
        return ContentWriter(self, path: path, file: try layer.create(path))
    }

    /// The file with this content, or nil.
    func open(_ digest: String) throws -> (any OpenFile)? { try layer.open(path(digest)) }

    /// Gives a durable file its name. One that is there already is replaced by its equal, which mends it if it was damaged.
    func place(_ file: String, as digest: String) throws {
        let shard = shard(digest)
        if !shards.known.withLock({ $0.contains(shard) }) {
            try layer.makeFolder(shard)
            try layer.syncFolder(content)
            shards.known.withLock { _ = $0.insert(shard) }
        }
        try layer.withLock(shard, exclusive: false) { try layer.rename(file, to: path(digest)) }
        try layer.syncFolder(shard)
    }

    func discard(_ file: String) throws { try layer.remove(file) }

    /// The digests in a shard, `00` to `ff`, whose files are as old as `before` or older.
    func digests(in shard: String, before: Int64) throws -> [String] {
        try layer.list("\(content)/\(shard)").filter { $0.modifiedAt <= before }.map { shard + $0.name }
    }

    /// Removes those of the digests whose files are still as old as `before`; how many.
    ///
    /// Under the folder's lock, so that none is given its name again between the look and the removal.
    func remove(_ digests: [String], in shard: String, before: Int64) throws -> Int {
        let folder = "\(content)/\(shard)"
        return try layer.withLock(folder, exclusive: true) {
            let old = Set(try self.digests(in: shard, before: before))
            let doomed = digests.filter(old.contains)
            for digest in doomed { try layer.remove(path(digest)) }
            return doomed.count
        }
    }

    /// Removes what was being written when its writer was killed.
    func removeIncoming(before: Int64) throws -> Int {
        let old = try layer.list(incoming).filter { $0.modifiedAt <= before }
        for entry in old { try layer.remove("\(incoming)/\(entry.name)") }
        return old.count
    }
}
