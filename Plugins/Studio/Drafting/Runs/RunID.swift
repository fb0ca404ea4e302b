// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

/// The id of the run that a request starts: the same request has the same id, so that its chips are held once.
enum RunID {
    /// Of the runs of this plugin, and of nothing else.
    static let namespace = "8f1c3a52-6f0e-5d0b-9c39-2f5d5b7f2a11"

    static func of(_ request: StudioStartRunRequest, _ call: Call) -> String {
        let context = call.context
        let keys = [context.idempotencyKey, call.idempotencyKey, context.requestID]
        guard let key = keys.first(where: { !$0.isEmpty }) else { return ULID.next(prefix: "run", at: call.host.now) }
        let name = [context.tenant, context.principal, request.projectID, request.chapterID, key].joined(
            separator: "\n")
        guard let uuid = UUIDv5(namespace, name) else { return ULID.next(prefix: "run", at: call.host.now) }
        return "run_\(base32(uuid.bytes))"
    }

    /// 128 bits as a ULID is written.
    static func base32(_ bytes: [UInt8]) -> String {
        let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        var high: UInt64 = 0
        var low: UInt64 = 0
        for byte in bytes.prefix(16) {
            high = high << 8 | low >> 56
            low = low << 8 | UInt64(byte)
        }
        var digits: [Character] = []
        for _ in 0..<26 {
            digits.append(alphabet[Int(low & 31)])
            low = low >> 5 | high << 59
            high >>= 5
        }
        return String(digits.reversed())
    }
}
