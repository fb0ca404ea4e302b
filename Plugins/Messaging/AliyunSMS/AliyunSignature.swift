// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatrePlugin

/// ACS3-HMAC-SHA256, the signature of version 3 of Alibaba Cloud's RPC and ROA calls: an HMAC with the AccessKey's secret,
/// which the host makes.
struct AliyunSignature: Sendable {
    static let algorithm = "ACS3-HMAC-SHA256"

    var method: String
    var path = "/"
    /// Unencoded.
    var query: [(String, String)]
    /// Names in lower case; those that are signed, which are all.
    var headers: [(String, String)]
    /// Hexadecimal SHA-256 of the body.
    var payload: String

    /// As it is sent: sorted, encoded, `=` also where a value is empty.
    var queryText: String {
        query.map { (Self.escape($0), Self.escape($1)) }.sorted { $0 < $1 }.map { "\($0)=\($1)" }
            .joined(separator: "&")
    }

    /// Names, sorted and joined.
    var signedHeaders: String { merged.map(\.0).joined(separator: ";") }

    /// What is hashed.
    var canonicalRequest: String {
        let lines = merged.map { "\($0):\($1)\n" }.joined()
        return [method, path, queryText, lines, signedHeaders, payload].joined(separator: "\n")
    }

    /// What is signed.
    var stringToSign: String { "\(Self.algorithm)\n\(Hex.encode(Digest.sha256(canonicalRequest.utf8)))" }

    /// The Authorization field.
    func authorization(accessKeyID: String, mac: some Sequence<UInt8>) -> String {
        "\(Self.algorithm) Credential=\(accessKeyID),SignedHeaders=\(signedHeaders),Signature=\(Hex.encode(mac))"
    }

    /// Fields of one name become one, values joined by commas in their order.
    private var merged: [(String, String)] {
        var values: [String: [String]] = [:]
        for (name, value) in headers {
            values[name.lowercased(), default: []].append(String(value.trimmed))
        }
        return values.sorted { $0.key < $1.key }.map { ($0.key, $0.value.joined(separator: ",")) }
    }

    /// RFC 3986: a space is `%20`, a tilde stays.
    static func escape(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: String(UnicodeScalar(byte))
            default: "%\(Hex.encode([byte]).uppercased())"
            }
        }.joined()
    }
}

extension String {
    fileprivate var trimmed: Substring {
        let start = drop(while: \.isWhitespace)
        return start.lastIndex { !$0.isWhitespace }.map { start[...$0] } ?? ""
    }
}
