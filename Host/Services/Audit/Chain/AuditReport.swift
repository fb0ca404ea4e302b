// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Something in an audit log that is not as it was written.
public struct AuditFinding: Sendable, Hashable {
    /// What it is.
    public enum Kind: String, Sendable, CaseIterable {
        /// What a row says, its place or its hash was changed.
        case rowChanged = "row_changed"
        /// A row was removed.
        case rowMissing = "row_missing"
        /// A row is where none was.
        case rowInserted = "row_inserted"
        /// Rows follow each other and do not lead to the hash that was signed.
        case segmentRewritten = "segment_rewritten"
        /// A checkpoint was removed.
        case checkpointMissing = "checkpoint_missing"
        /// A checkpoint's signature is not of its key.
        case checkpointForged = "checkpoint_forged"
        /// A checkpoint is signed and does not follow the one before.
        case checkpointBroken = "checkpoint_broken"
        /// A checkpoint is signed by a key that was not given.
        case unknownKey = "unknown_key"
        /// Rows are gone and no signature says that they were kept long enough.
        case removalForged = "removal_forged"
        /// What is said of the whole chain does not fit its rows and checkpoints.
        case chainMoved = "chain_moved"

        /// As it is printed.
        public var code: String { "audit.\(rawValue)" }
    }

    /// What.
    public var kind: Kind
    /// Whose log.
    public var tenant: String
    /// Place in the chain; 0 where it is about none.
    public var seq: Int64
    /// Segment; 0 where it is about none.
    public var segment: Int64
    /// In words.
    public var message: String
}

/// What came of a verification.
public struct AuditReport: Sendable, Hashable {
    /// Findings that are kept; more are only counted.
    public static let largest = 1000

    /// Tenants looked at.
    public var chains = 0
    /// Rows whose hashes were compared.
    public var rows: Int64 = 0
    /// Checkpoints whose signatures were verified.
    public var checkpoints: Int64 = 0
    /// Segments whose rows retention removed.
    public var removedSegments: Int64 = 0
    /// Rows above the last checkpoint of their chain: chained, and not signed yet.
    public var unchecked: Int64 = 0
    /// Rows that are in no chain yet.
    public var unsealed: Int64 = 0
    /// The last place below a checkpoint, of the last chain.
    public var checkedSeq: Int64 = 0
    /// The first of them.
    public var findings: [AuditFinding] = []
    /// All of them.
    public var found = 0
    /// The time to go on from, where the work was bounded; 0: this was all.
    public var nextFrom: Int64 = 0

    /// Whether all is as it was written.
    public var isIntact: Bool { found == 0 }

    /// Nothing yet.
    public init() {}

    mutating func add(_ finding: AuditFinding) {
        found += 1
        if findings.count < Self.largest { findings.append(finding) }
    }
}
