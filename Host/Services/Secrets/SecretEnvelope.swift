// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
public import FoundationEssentials
public import Runtime

/// AES-256-GCM with a data key of its own for each version of a secret (NIST SP 800-38D): nonce, ciphertext, tag.
public enum SecretEnvelope {
    /// Bytes of a data key.
    public static let keySize = 32

    /// A new data key.
    public static func newKey() -> Data { SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) } }

    /// Encrypts a value for one place and version.
    public static func seal(_ value: Data, key: Data, _ address: SecretAddress, version: Int64) throws(CallError)
        -> Data
    {
        do {
            let box = try AES.GCM.seal(
                value, using: SymmetricKey(data: key), authenticating: address.associatedData(version: version))
            if let combined = box.combined { return combined }
        } catch { throw tampered(address) }
        throw tampered(address)
    }

    /// Decrypts what ``seal(_:key:_:version:)`` gave.
    ///
    /// - Throws: DATA_LOSS `secrets.tampered` where the bytes, the key, the place or the version are others.
    public static func open(
        _ sealed: Data, key: Data, _ address: SecretAddress, version: Int64
    ) throws(CallError) -> SecretBytes {
        guard key.count == keySize else { throw tampered(address) }
        do {
            let plain = try AES.GCM.open(
                AES.GCM.SealedBox(combined: sealed), using: SymmetricKey(data: key),
                authenticating: address.associatedData(version: version))
            return SecretBytes(plain)
        } catch { throw tampered(address) }
    }

    private static func tampered(_ address: SecretAddress) -> CallError {
        CallError(
            .dataLoss, "secrets.tampered",
            "Stored secret \(address.name) does not open: its row is not what was stored there. Put it anew.")
    }
}
