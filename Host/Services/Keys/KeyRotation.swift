// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What becomes of the versions of a key over time. Times are in milliseconds since 1970.
public struct KeyRotation: Sendable {
    /// How long a new version is published before it signs, in seconds, where nothing else is said: others keep a key set
    /// for five minutes, and hosts look for new files every few seconds.
    public static let leadSeconds: Int64 = 600
    /// How long others keep a key set at most, in seconds.
    public static let publishedSeconds: Int64 = 300
    /// What is allowed for clocks that differ, and for hosts that look late, before a version is retired, in seconds.
    public static let slackSeconds: Int64 = 300

    /// Where a version stands.
    public enum State: String, Sendable, Hashable {
        /// Published; signs later.
        case next
        /// Signs.
        case signing
        /// Signed before, and is still checked by.
        case old
    }

    private let files: [KeyFolder.File]
    private let now: Int64

    /// The versions of a key, newest first.
    public init(_ files: [KeyFolder.File], at now: Int64) {
        self.files = files
        self.now = now
    }

    private var signing: KeyFolder.File? {
        guard let id = files.map(\.version).signing(at: now)?.id else { return nil }
        return files.first { $0.version.id == id }
    }

    /// Where a version stands.
    public func state(of file: KeyFolder.File) -> State {
        guard let signing, file.number != signing.number else { return .signing }
        return file.number > signing.number ? .next : .old
    }

    /// The version that waits for its time, if there is one.
    public var waiting: KeyFolder.File? { files.first { state(of: $0) == .next } }

    /// Why a version may not be removed.
    public enum Objection: Sendable, Hashable {
        /// It signs.
        case signs
        /// Nobody says for how long what it made counts.
        case countsForEver
        /// Nobody says since when it has not signed: its successor did from the beginning.
        case unknownEnd
        /// What it made may count for so many more seconds.
        case countsYet(Int64)
    }

    /// Why a version should not be removed; nil where nothing that it made can count.
    ///
    /// - Parameter lifetime: how long at most what the key made counts, in seconds; nil for ever.
    public func objection(to file: KeyFolder.File, lifetime: Int64?) -> Objection? {
        switch state(of: file) {
        case .signing: return .signs
        case .next: return nil
        case .old:
            guard let lifetime else { return .countsForEver }
            // It signed until the first of those after it did.
            let ends = files.filter { $0.number > file.number }.map(\.version.signsFrom)
            guard let end = ends.min(), end > 0 else { return .unknownEnd }
            let left = (end - now) / 1000 + lifetime + Self.slackSeconds
            return left > 0 ? .countsYet(left) : nil
        }
    }
}
