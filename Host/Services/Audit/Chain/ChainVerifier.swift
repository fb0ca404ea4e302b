// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import TheatreContracts

/// Compares one tenant's chain with its checkpoints: a checkpoint, then its rows, and so on, then the rows above the last.
/// Goes on after each finding, so that what lies behind it is found as well. Pure.
struct ChainVerifier {
    private let chain: SQLAuditChain
    private let keys: AuditPublicKeys
    private var segment: Int64 = 0
    /// The place and the hash that the next segment follows.
    private var reached: (seq: Int64, hash: Data) = (0, Data())
    private var current: Segment?

    /// A segment, or what lies above the last, while its rows come.
    private struct Segment {
        var checkpoint: SQLAuditCheckpoint?
        /// The place of the last row.
        var seq: Int64
        /// Its hash; nil where it was removed, so that the next row has nothing to be compared with.
        var hash: Data?
        /// Nothing was found in it.
        var isClean = true
    }

    init(_ chain: SQLAuditChain, keys: AuditPublicKeys) {
        self.chain = chain
        self.keys = keys
    }

    /// A checkpoint, in order. `looksAtRows` says whether its rows will follow.
    mutating func begin(_ checkpoint: SQLAuditCheckpoint, looksAtRows: Bool, _ report: inout AuditReport) {
        endSegment(&report)
        report.checkpoints += 1
        follow(checkpoint, &report)
        verify(checkpoint, &report)
        let isRemoved = checkpoint.removedAt > 0
        if isRemoved {
            report.removedSegments += 1
            verifyRemoval(checkpoint, &report)
        }
        segment = checkpoint.segment
        reached = (checkpoint.lastSeq, checkpoint.lastHash)
        guard looksAtRows else { return }
        current =
            isRemoved
            ? Segment(checkpoint: checkpoint, seq: checkpoint.lastSeq, hash: checkpoint.lastHash)
            : Segment(checkpoint: checkpoint, seq: checkpoint.firstSeq - 1, hash: checkpoint.previousHash)
    }

    /// No more checkpoints: the rows above the last one follow.
    mutating func beginTail(_ report: inout AuditReport) {
        endSegment(&report)
        if chain.segments > segment {
            add(
                .checkpointMissing, segment: segment + 1,
                "checkpoints \(segment + 1) to \(chain.segments) were removed", &report)
        } else if chain.segments < segment || chain.checkedSeq != reached.seq || chain.checkedHash != reached.hash {
            add(
                .chainMoved, seq: chain.checkedSeq, segment: chain.segments,
                "the chain says that its last checkpoint is \(chain.segments) at row \(chain.checkedSeq), and it is "
                    + "\(segment) at row \(reached.seq)", &report)
        }
        current = Segment(checkpoint: nil, seq: reached.seq, hash: reached.hash)
    }

    /// A row of what was begun, in order.
    mutating func take(_ row: SQLAuditRow, _ report: inout AuditReport) {
        guard var segment = current else { return }
        report.rows += 1
        defer { current = segment }
        let number = segment.checkpoint?.segment ?? 0
        if row.seq <= segment.seq || row.seq > segment.checkpoint?.lastSeq ?? .max {
            segment.isClean = false
            return add(.rowInserted, seq: row.seq, segment: number, "a row is at \(row.seq) where none was", &report)
        }
        if row.seq > segment.seq + 1 {
            lose(segment.seq + 1, row.seq - 1, number, &report)
            segment.isClean = false
            segment.hash = nil
        }
        if let previous = segment.hash,
            row.tenant != chain.tenant || row.hash != AuditBytes.hash(row, at: row.seq, after: previous)
        {
            segment.isClean = false
            add(
                .rowChanged, seq: row.seq, segment: number,
                "row \(row.seq) is not what was written after row \(row.seq - 1)", &report)
        }
        segment.seq = row.seq
        segment.hash = row.hash
    }

    /// The end of the chain.
    mutating func end(_ report: inout AuditReport) {
        guard let tail = current, tail.checkpoint == nil else { return endSegment(&report) }
        report.unchecked += max(0, tail.seq - reached.seq)
        report.checkedSeq = reached.seq
        if tail.seq < chain.seq {
            lose(tail.seq + 1, chain.seq, 0, &report)
        } else if tail.seq > chain.seq {
            add(.rowInserted, seq: chain.seq + 1, "rows are above the end of the chain at \(chain.seq)", &report)
        } else if tail.isClean, let hash = tail.hash, hash != chain.hash {
            add(.chainMoved, seq: chain.seq, "the last row does not have the hash that the chain ends with", &report)
        }
        current = nil
    }

    private mutating func endSegment(_ report: inout AuditReport) {
        guard let segment = current, let checkpoint = segment.checkpoint else { return }
        current = nil
        if segment.seq < checkpoint.lastSeq {
            return lose(segment.seq + 1, checkpoint.lastSeq, checkpoint.segment, &report)
        }
        guard segment.hash == checkpoint.lastHash else {
            add(
                .segmentRewritten, seq: checkpoint.lastSeq, segment: checkpoint.segment,
                "rows \(checkpoint.firstSeq) to \(checkpoint.lastSeq) do not lead to the hash that was signed", &report)
            return
        }
    }

    private func follow(_ checkpoint: SQLAuditCheckpoint, _ report: inout AuditReport) {
        if checkpoint.segment > segment + 1 {
            add(
                .checkpointMissing, segment: segment + 1,
                "checkpoints \(segment + 1) to \(checkpoint.segment - 1) were removed", &report)
        } else if checkpoint.tenant != chain.tenant || checkpoint.segment != segment + 1
            || checkpoint.firstSeq != reached.seq + 1 || checkpoint.previousHash != reached.hash
            || checkpoint.lastSeq < checkpoint.firstSeq
        {
            add(
                .checkpointBroken, seq: checkpoint.firstSeq, segment: checkpoint.segment,
                "checkpoint \(checkpoint.segment) does not follow row \(reached.seq)", &report)
        }
    }

    private func verify(_ checkpoint: SQLAuditCheckpoint, _ report: inout AuditReport) {
        switch keys.verifies(checkpoint.signature, of: AuditBytes.signed(checkpoint), by: checkpoint.keyID) {
        case true?: break
        case false?:
            add(
                .checkpointForged, seq: checkpoint.lastSeq, segment: checkpoint.segment,
                "the signature of checkpoint \(checkpoint.segment) is not of key \(checkpoint.keyID)", &report)
        case nil:
            add(
                .unknownKey, seq: checkpoint.lastSeq, segment: checkpoint.segment,
                "checkpoint \(checkpoint.segment) is signed by key \(checkpoint.keyID), which is not known", &report)
        }
    }

    private func verifyRemoval(_ checkpoint: SQLAuditCheckpoint, _ report: inout AuditReport) {
        let bytes = AuditBytes.removal(checkpoint)
        guard keys.verifies(checkpoint.removalSignature, of: bytes, by: checkpoint.removalKeyID) != true else { return }
        add(
            .removalForged, seq: checkpoint.firstSeq, segment: checkpoint.segment,
            "rows \(checkpoint.firstSeq) to \(checkpoint.lastSeq) were removed, and no signature says so", &report)
    }

    private func lose(_ first: Int64, _ last: Int64, _ segment: Int64, _ report: inout AuditReport) {
        let words = first == last ? "row \(first) was removed" : "rows \(first) to \(last) were removed"
        add(.rowMissing, seq: first, segment: segment, words, &report)
    }

    private func add(
        _ kind: AuditFinding.Kind, seq: Int64 = 0, segment: Int64 = 0, _ message: String, _ report: inout AuditReport
    ) {
        report.add(
            AuditFinding(kind: kind, tenant: chain.tenant, seq: seq, segment: segment, message: message))
    }
}
