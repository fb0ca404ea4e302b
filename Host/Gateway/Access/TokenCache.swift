// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto

/// Verified tokens of one event loop by SHA-256 digest, until they expire or their session is revoked.
/// Used on its loop only.
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

    private var callers: RecentValues<Key, Caller>
    private var epoch = 0

    init(capacity: Int = 8192) { callers = RecentValues(capacity: capacity) }

    /// Whom it speaks for, if the token is known and has neither expired nor been revoked.
    mutating func find(_ key: Key, at now: Int64, revocations: Revocations) -> Caller? {
        if revocations.epoch != epoch {
            epoch = revocations.epoch
            callers.keep { !revocations.contains($0.principal.session) }
        }
        guard let caller = callers[key] else { return nil }
        guard caller.principal.expiresAt > now else {
            callers.remove(key)
            return nil
        }
        return caller
    }

    mutating func insert(_ caller: Caller, for key: Key) { callers.insert(caller, for: key) }
}
