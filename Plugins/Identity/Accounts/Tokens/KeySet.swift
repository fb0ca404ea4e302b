// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// The JSON Web Key Set that others verify access tokens with.
enum KeySet {
    /// Seconds that others may keep it.
    static let maxAge = 300

    /// Every version of the key, newest first.
    static func response(_ call: Call) async throws -> HTTPResponse {
        let keys = try await HostKeysClient(call).publicKeys(.with { $0.key = "session" }).keys
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
