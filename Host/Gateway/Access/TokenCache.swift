// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto

/// Verified tokens of one event loop by SHA-256 digest, until they expire or their session is revoked.
///
/// Two halves: what is used moves to the young one; when that is full the old one is dropped. Used on its loop only.
struct TokenCache {
    /// A SHA-256 digest as words, cheap to hash.
    struct Key: Hashable {
        let words: (UInt64, UInt64, UInt64, UInt64)

        init(token: Substring.UTF8View) {
            var hash = SHA256()
            let known: Void? = token.withContiguousStorageIfAvailable {
                hash.update(bufferPointer: UnsafeRawBufferPointer($0))
            }
            if known == nil { hash.update(data: Array(token)) }
            words = hash.finalize().withUnsafeBytes { $0.loadUnaligned(as: (UInt64, UInt64, UInt64, UInt64).self) }
        }

        static func == (one: Key, other: Key) -> Bool { one.words == other.words }
        func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
    }

    private var young: [Key: Principal] = [:]
    private var old: [Key: Principal] = [:]
    private let half: Int
    private var epoch = 0

    init(capacity: Int = 8192) { half = max(1, capacity / 2) }

    /// The principal, if the token is known and has neither expired nor been revoked.
    mutating func find(_ key: Key, at now: Int64, revocations: Revocations) -> Principal? {
        if revocations.epoch != epoch {
            epoch = revocations.epoch
            young = young.filter { !revocations.contains($0.value.session) }
            old = old.filter { !revocations.contains($0.value.session) }
        }
        guard let principal = young[key] ?? old[key] else { return nil }
        guard principal.expiresAt > now else {
            young[key] = nil
            old[key] = nil
            return nil
        }
        if young[key] == nil { insert(principal, for: key) }
        return principal
    }

    mutating func insert(_ principal: Principal, for key: Key) {
        if young.count >= half {
            old = young
            young.removeAll(keepingCapacity: true)
        }
        young[key] = principal
    }
}
