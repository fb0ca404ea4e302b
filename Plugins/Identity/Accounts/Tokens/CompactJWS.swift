// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// A JWS in compact form, RFC 7515 section 3.1, signed by the version of a key of the host's that signs now.
enum CompactJWS {
    private struct Header: Encodable {
        var alg: String
        var kid: String
        var typ: String
    }

    /// Signs `payload` as JSON.
    ///
    /// - Parameters:
    ///   - name: of the key; what is to count longer than an access token has one that is kept longer.
    ///   - type: keeps one kind of token from being taken for another.
    static func sign(_ payload: some Encodable, by name: String, type: String, _ call: Call) async throws -> String {
        let keys = HostKeysClient(call)
        guard let key = try await keys.signing(by: name) else {
            throw AccountsError.noKey(name)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let header = try encoder.encode(Header(alg: key.algorithm, kid: key.keyID, typ: type))
        let payload = try encoder.encode(payload)
        let input = "\(Base64URL.encode(header)).\(Base64URL.encode(payload))"
        let response = try await keys.sign(
            .with {
                $0.key = name
                $0.keyID = key.keyID
                $0.data = Data(input.utf8)
            })
        return "\(input).\(Base64URL.encode(response.signature))"
    }
}
