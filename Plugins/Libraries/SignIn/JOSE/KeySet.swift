// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
import TheatreManifest

/// Somebody's public keys (RFC 7517, section 5).
public struct KeySet: Sendable {
    /// Those that verify here.
    public let keys: [VerificationKey]

    /// The keys of a document `{"keys": […]}`; nil where it is none, or has more than 100.
    public init?(json: Data) {
        let document: JSONValue
        do { document = try JSONValue(json: json) } catch { return nil }
        guard case .object(let members) = document, case .array(let list)? = members["keys"], list.count <= 100 else {
            return nil
        }
        keys = list.compactMap { VerificationKey(jwk: $0) }
    }

    /// Those that may have made a signature: of that id, or all where the token names none.
    public func candidates(id: String?, _ algorithm: SignatureAlgorithm) -> [VerificationKey] {
        keys.filter { $0.algorithm == algorithm && (id == nil || $0.id == id) }
    }
}
