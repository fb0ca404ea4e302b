// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc
public import Runtime

/// Which versions of its keys a host had when it looked last, in a file: what came and went meanwhile is told
/// once, also where the host did not run.
public struct KeyRecord: Sendable {
    private let path: String
    private var ids: [String: [String]]
    private let written: [String: [String]]

    /// A version that came or went.
    public struct Change: Sendable, Hashable {
        /// The key.
        public var key: String
        /// The version.
        public var id: String
        /// It came; else it went.
        public var isNew: Bool
    }

    /// The record at `path`; an empty one where there is none yet.
    ///
    /// - Throws: FAILED_PRECONDITION `keys.unsafe_file` where it cannot be read. It is not begun anew: what came and went
    ///   since it was written would never be told.
    public init(_ path: String) throws(CallError) {
        self.path = path
        var status = stat()
        guard lstat(path, &status) == 0 || errno != ENOENT else {
            written = [:]
            ids = [:]
            return
        }
        do {
            written = try JSONDecoder().decode([String: [String]].self, from: Data(contentsOf: URL(filePath: path)))
        } catch {
            throw CallError(
                .failedPrecondition, "keys.unsafe_file",
                "\(path), which versions of keys were known, cannot be read: \(error). Put it back from a backup, or "
                    + "remove it: then what changed since it was written is not audited.")
        }
        ids = written
    }

    /// Whether it has to be written.
    public var isChanged: Bool { ids != written }

    /// Notes what is there now, and says what is other; the versions that a key begins with are no change.
    public mutating func note(_ keys: [String: [KeyVersion]]) -> [Change] {
        var changes: [Change] = []
        for (key, versions) in keys.sorted(by: { $0.key < $1.key }) {
            let now = versions.map(\.id)
            guard let before = ids.updateValue(now, forKey: key) else { continue }
            changes += now.reversed().filter { !before.contains($0) }.map { Change(key: key, id: $0, isNew: true) }
            changes += before.filter { !now.contains($0) }.map { Change(key: key, id: $0, isNew: false) }
        }
        return changes
    }

    /// Keeps it. What was told before this, and not kept, is told again.
    public func write() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try PrivateFile.replace(path, contents: try encoder.encode(ids))
    }
}
