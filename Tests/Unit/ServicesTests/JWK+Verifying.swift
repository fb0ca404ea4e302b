// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

@testable import Services

extension JWK {
    /// Checks with the public half alone, as a stranger would.
    func verifies(_ signature: Data, of data: Data) throws -> Bool {
        let x = try bytes(self.x)
        if kty == "OKP" {
            return try Curve25519.Signing.PublicKey(rawRepresentation: x).isValidSignature(signature, for: data)
        }
        let key = try P256.Signing.PublicKey(rawRepresentation: x + bytes(y))
        return key.isValidSignature(try P256.Signing.ECDSASignature(rawRepresentation: signature), for: data)
    }

    private func bytes(_ text: String?) throws -> Data {
        guard let text, let data = Base64URL.decode(text) else { throw CocoaError(.coderReadCorrupt) }
        return data
    }
}
