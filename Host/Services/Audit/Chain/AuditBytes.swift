// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import FoundationEssentials
internal import TheatreContracts

/// What is hashed and signed of the audit log, byte for byte; described in the README beside this folder.
///
/// A text or bytes is its length in four bytes and itself, a number eight bytes of two's complement, all big-endian.
struct AuditBytes {
    private(set) var bytes: [UInt8]

    init(_ domain: String) { bytes = Array(domain.utf8) }

    mutating func add(_ number: Int64) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func add(_ field: some Collection<UInt8>) {
        withUnsafeBytes(of: UInt32(clamping: field.count).bigEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: field)
    }

    mutating func add(_ text: String) { add(text.utf8) }

    /// The hash of a row at `seq` that follows one with the hash `previous`; empty for the first.
    static func hash(_ row: SQLAuditRow, at seq: Int64, after previous: Data) -> Data {
        var encoding = AuditBytes("theatre.audit.row.1\n")
        encoding.add(previous)
        encoding.add(seq)
        encoding.add(row.at)
        encoding.add(row.count)
        for text in [
            row.tenant, row.project, row.principal, row.route, row.resource, row.action, row.decision, row.requestID,
            row.idempotencyKey, row.caller, row.outcome, row.reason, row.network,
        ] {
            encoding.add(text)
        }
        encoding.add(row.requestDigest)
        return Data(SHA256.hash(data: encoding.bytes))
    }

    /// What a checkpoint's signature is over.
    static func signed(_ checkpoint: SQLAuditCheckpoint) -> [UInt8] {
        var encoding = AuditBytes("theatre.audit.checkpoint.1\n")
        encoding.add(checkpoint.tenant)
        for number in [
            checkpoint.segment, checkpoint.firstSeq, checkpoint.lastSeq, checkpoint.oldest, checkpoint.newest,
            checkpoint.signedAt,
        ] {
            encoding.add(number)
        }
        encoding.add(checkpoint.previousHash)
        encoding.add(checkpoint.lastHash)
        encoding.add(checkpoint.keyID)
        return encoding.bytes
    }

    /// What the signature of a removal is over: the checkpoint with its signature, and when its rows went.
    static func removal(_ checkpoint: SQLAuditCheckpoint) -> [UInt8] {
        var encoding = AuditBytes("theatre.audit.removal.1\n")
        encoding.add(signed(checkpoint))
        encoding.add(checkpoint.signature)
        encoding.add(checkpoint.removedAt)
        encoding.add(checkpoint.removalKeyID)
        return encoding.bytes
    }
}
