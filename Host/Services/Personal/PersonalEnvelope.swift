// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import FoundationEssentials
internal import Runtime

/// What is known of a person, sealed by his key: AES-256-GCM (NIST SP 800-38D), a version byte before nonce, ciphertext and
/// tag.
enum PersonalEnvelope {
    private static let version: UInt8 = 1

    /// What the wrapped key of a person is bound to.
    static func keyData(_ person: String) -> Data { bound("theatre person key 1", [person]) }

    /// Seals a value for one person and place.
    static func seal(
        _ value: Data, _ key: SecretBytes, _ person: String, _ associatedData: String
    ) throws(CallError) -> Data {
        do {
            let box = try AES.GCM.seal(
                value, using: symmetric(key), authenticating: bound("theatre person 1", [person, associatedData]))
            if let combined = box.combined { return Data([version]) + combined }
        } catch {
            throw CallError(.internal, "host.encoding", "The host could not seal a value: \(error).")
        }
        throw CallError(.internal, "host.encoding", "The host could not seal a value.")
    }

    /// Opens what ``seal(_:_:_:_:)`` gave. DATA_LOSS `personal.tampered` for anything else.
    static func open(
        _ sealed: Data, _ key: SecretBytes, _ person: String, _ associatedData: String
    ) throws(CallError) -> Data {
        guard sealed.first == version else { throw tampered() }
        do {
            return try AES.GCM.open(
                AES.GCM.SealedBox(combined: sealed.dropFirst()), using: symmetric(key),
                authenticating: bound("theatre person 1", [person, associatedData]))
        } catch { throw tampered() }
    }

    static func tampered() -> CallError {
        CallError(
            .dataLoss, "personal.tampered",
            "A sealed value does not open: its bytes, its person or what it belongs to are others.")
    }

    private static func symmetric(_ key: SecretBytes) -> SymmetricKey { key.withUnsafeBytes { SymmetricKey(data: $0) } }

    /// Each part has its length before it, so that no two lists of parts give the same bytes.
    private static func bound(_ purpose: String, _ parts: [String]) -> Data {
        var data = Data(purpose.utf8)
        for part in parts {
            withUnsafeBytes(of: UInt32(clamping: part.utf8.count).bigEndian) { data.append(contentsOf: $0) }
            data.append(contentsOf: part.utf8)
        }
        return data
    }
}
