// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatrePlugin

/// TC3-HMAC-SHA256, the signature of version 3 of Tencent Cloud's API. The host makes the key of a day from the SecretKey;
/// the rest of the chain is made of that.
struct TencentSignature: Sendable {
    static let algorithm = "TC3-HMAC-SHA256"
    static let signedHeaders = "content-type;host"

    var contentType = "application/json"
    var host: String
    var service: String
    /// Seconds since 1970.
    var timestamp: Int64
    var body: [UInt8]

    /// UTC: `2019-02-25`.
    var date: String { String(Date(timeIntervalSince1970: Double(timestamp)).formatted(.iso8601).prefix(10)) }
    /// What the key is for.
    var scope: String { "\(date)/\(service)/tc3_request" }

    /// What is hashed.
    var canonicalRequest: String {
        "POST\n/\n\ncontent-type:\(contentType)\nhost:\(host)\n\n\(Self.signedHeaders)\n\(Hex.encode(Digest.sha256(body)))"
    }

    /// What is signed.
    var stringToSign: String {
        "\(Self.algorithm)\n\(timestamp)\n\(scope)\n\(Hex.encode(Digest.sha256(canonicalRequest.utf8)))"
    }

    /// Hexadecimal.
    ///
    /// - Parameter dayKey: HMAC-SHA-256 of ``date`` with `TC3` and the SecretKey.
    func signature(dayKey: [UInt8]) -> String {
        let serviceKey = Digest.hmacSHA256(key: dayKey, Array(service.utf8))
        let key = Digest.hmacSHA256(key: serviceKey, Array("tc3_request".utf8))
        return Hex.encode(Digest.hmacSHA256(key: key, Array(stringToSign.utf8)))
    }

    /// The Authorization field.
    func authorization(secretID: String, dayKey: [UInt8]) -> String {
        "\(Self.algorithm) Credential=\(secretID)/\(scope), SignedHeaders=\(Self.signedHeaders), "
            + "Signature=\(signature(dayKey: dayKey))"
    }
}
