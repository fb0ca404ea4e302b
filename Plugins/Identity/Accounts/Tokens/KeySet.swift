// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// The JSON Web Key Set that others verify access tokens and erasure receipts with.
enum KeySet {
    /// Seconds that others may keep it.
    static let maxAge = 300

    /// Every version of the keys, newest first; once, where both names are granted one key.
    static func response(_ call: Call) async throws -> HTTPResponse {
        var keys: [HostPublicKey] = []
        for name in ["session", "receipt"] {
            for key in try await HostKeysClient(call).publicKeys(.with { $0.key = name }).keys
            where !keys.contains(where: { $0.keyID == key.keyID }) { keys.append(key) }
        }
        let document = "{\"keys\":[\(keys.map(\.jwk).joined(separator: ","))]}"
        return .with {
            $0.status = 200
            $0.contentType = "application/jwk-set+json"
            $0.body = Data(document.utf8)
            $0.headers = [
                .with {
                    $0.name = "cache-control"
                    $0.value = "public, max-age=\(maxAge)"
                }
            ]
        }
    }
}
