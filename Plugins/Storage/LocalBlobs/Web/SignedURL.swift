// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What a signed URL allows: the payload of its token.
///
/// A token is base64url(JSON) "." base64url(HMAC-SHA-256); the code is made and checked by the host, which has the key.
struct SignedURL: Codable, Sendable, Hashable {
    var method: String
    var tenant: String
    var instance: String
    var key: String
    /// Milliseconds since 1970.
    var expiresAt: Int64
    /// PUT: the type that must be sent; empty for any.
    var contentType = ""
    /// PUT: most bytes; 0 for the store's bound.
    var maxBytes: Int64 = 0
    /// GET: the name to save under; empty to show in place.
    var fileName = ""

    enum CodingKeys: String, CodingKey {
        case method = "m"
        case tenant = "t"
        case instance = "i"
        case key = "k"
        case expiresAt = "e"
        case contentType = "c"
        case maxBytes = "s"
        case fileName = "f"
    }

    static let path = "/api/v1/blobs/"
    private static let keyName = "urls"
    /// What else the key may ever be used for begins with something else.
    private static let purpose = Array("theatre.blob.v1 url\n".utf8)

    /// Its token.
    func token(_ call: Call) async throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let payload = try encoder.encode(self)
        let request = HostMacRequest.with {
            $0.key = Self.keyName
            $0.data = Self.purpose + payload
        }
        return Base64URL.encode(payload) + "." + Base64URL.encode(try await HostKeysClient(call).mac(request).mac)
    }

    /// What a token allows, if it was made here and still holds.
    ///
    /// - Throws: PERMISSION_DENIED `blob.bad_url`, `blob.url_expired`.
    static func read(_ token: String, _ call: Call, at now: Int64) async throws -> SignedURL {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let payload = Base64URL.decode(parts[0]), let code = Base64URL.decode(parts[1]) else {
            throw LocalBlobsError.badURL
        }
        let request = HostVerifyMacRequest.with {
            $0.key = Self.keyName
            $0.data = Self.purpose + payload
            $0.mac = code
        }
        guard try await HostKeysClient(call).verifyMac(request).valid else { throw LocalBlobsError.badURL }
        let url = try JSONDecoder().decode(SignedURL.self, from: payload)
        guard now < url.expiresAt else { throw LocalBlobsError.expiredURL }
        return url
    }
}
