// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
public import Runtime
internal import Synchronization

/// Keys that secrets hold: a provider's, as it gave them. Each has one version: what the secret holds now.
final class SecretKeys: Sendable {
    let secrets: any SecretSource
    private let read = Mutex<[String: (value: SecretBytes, version: KeyVersion)]>([:])

    init(_ secrets: any SecretSource) { self.secrets = secrets }

    /// The key in `source`, once it was fetched.
    func version(of source: String, for instance: InstanceIdentity) throws(CallError) -> KeyVersion {
        let value = try secrets.seen(by: instance).value(for: source)
        // Reading an RSA key takes longer than signing: the same bytes are read once.
        if let known = read.withLock({ $0[source] }), known.value === value { return known.version }
        let version = try KeyVersion.read(value, source)
        read.withLock { $0[source] = (value, version) }
        return version
    }
}

extension KeyVersion {
    /// Reads a key that a secret holds.
    ///
    /// - Throws: FAILED_PRECONDITION `keys.malformed`, never a part of it.
    public static func read(_ value: SecretBytes, _ source: String) throws(CallError) -> KeyVersion {
        let found = try? value.withUnsafeBytes { try KeyVersion(secret: Data($0)) }
        guard let version = found ?? nil else {
            throw CallError(
                .failedPrecondition, "keys.malformed",
                "\(source) holds no private key in PEM or JWK of Ed25519, P-256 or RSA, and no whsec_ line.")
        }
        return version
    }
}
