// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Runtime

/// Where keys come from: files here, elsewhere a hardware module or a key service.
public protocol KeySource: Sendable {
    /// Milliseconds since 1970, by the clock that versions begin to sign by.
    var now: Int64 { get }

    /// Every version of a key, newest first, at least one. On any thread, at once.
    ///
    /// - Throws: FAILED_PRECONDITION `keys.missing` where the key was not prepared.
    func versions(of key: String) throws(CallError) -> [KeyVersion]
}

extension KeySource {
    /// The public halves of a key as JWK objects, JSON, newest first; for the published key set.
    public func publicKeys(of key: String) throws(CallError) -> [String] {
        try versions(of: key).map(\.publicJWK).filter { !$0.isEmpty }
    }

    /// The version of a key that signs now.
    public func signing(by key: String) throws(CallError) -> KeyVersion {
        guard let version = try versions(of: key).signing(at: now) else {
            throw CallError(.failedPrecondition, "keys.missing", "Key \(key) has no version.")
        }
        return version
    }
}
