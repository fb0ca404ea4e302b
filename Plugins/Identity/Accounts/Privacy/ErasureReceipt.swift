// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What a person has in hand afterwards: a JWS of type `erasure-receipt+jwt`. No access token has that type, so it opens
/// nothing. Its key is not that of tokens: versions of that one are removed once their tokens have lapsed, and a receipt is
/// to be verified for years.
struct ErasureReceipt: Encodable, Sendable {
    /// What one instance did.
    struct Part: Codable, Sendable {
        /// Rows, by what they were.
        var erased: [String: Int64]
        /// What it keeps, and why.
        var kept: [String]
    }

    var iss: String
    /// The pseudonym under which the rest is kept: the id of an account that says nothing of anybody any more.
    var sub: String
    /// The erasure's own id.
    var jti: String
    /// Seconds since 1970, as all times here.
    var iat: Int64
    var requestedAt: Int64
    var erasedAt: Int64
    /// From then on nothing sealed can be read, in whatever copy.
    var keyDestroyedAt: Int64
    /// By instance.
    var parts: [String: Part]

    enum CodingKeys: String, CodingKey {
        case iss, sub, jti, iat, parts
        case requestedAt = "requested_at"
        case erasedAt = "erased_at"
        case keyDestroyedAt = "key_destroyed_at"
    }

    func signed(_ call: Call) async throws -> String {
        try await CompactJWS.sign(self, by: "receipt", type: "erasure-receipt+jwt", call)
    }
}

extension [String: ErasureReceipt.Part] {
    /// Adds what an instance did of one more person.
    mutating func add(_ part: HostErasedPart) {
        var sum = self[part.instance] ?? ErasureReceipt.Part(erased: [:], kept: [])
        for (what, number) in part.erased { sum.erased[what, default: 0] += Int64(clamping: number) }
        for reason in part.kept where !sum.kept.contains(reason) { sum.kept.append(reason) }
        self[part.instance] = sum
    }
}
