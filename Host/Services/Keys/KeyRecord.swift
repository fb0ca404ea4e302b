// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

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

    /// The record at `path`. One that cannot be read is begun anew.
    public init(_ path: String) {
        self.path = path
        let contents = try? Data(contentsOf: URL(filePath: path))
        written = contents.flatMap { try? JSONDecoder().decode([String: [String]].self, from: $0) } ?? [:]
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
