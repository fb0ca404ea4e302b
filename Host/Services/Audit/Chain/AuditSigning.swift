// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Runtime
internal import TheatreContracts

/// Signs by the host's key for the audit log.
struct AuditSigning: Sendable {
    let keys: any KeySource
    let key: String

    /// Signs the end of a segment.
    func sign(_ checkpoint: inout SQLAuditCheckpoint) throws(CallError) {
        let version = try keys.signing(by: key)
        checkpoint.keyID = version.id
        checkpoint.signature = Data(try version.sign(AuditBytes.signed(checkpoint)))
    }

    /// Signs that the rows of a segment were removed at `time`.
    func signRemoval(_ checkpoint: inout SQLAuditCheckpoint, at time: Int64) throws(CallError) {
        let version = try keys.signing(by: key)
        checkpoint.removedAt = time
        checkpoint.removalKeyID = version.id
        checkpoint.removalSignature = Data(try version.sign(AuditBytes.removal(checkpoint)))
    }
}
