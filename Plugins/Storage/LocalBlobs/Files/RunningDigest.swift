// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CCrypto

/// A SHA-256 over bytes that come in pieces, by the system's OpenSSL: it uses the processor's instructions for it.
///
/// Unchecked: owned by one writer or reader, which uses it on one thread at a time.
final class RunningDigest: @unchecked Sendable {
    private var context: OpaquePointer?

    init() { context = ccrypto_sha256_begin() }

    deinit { if let context { EVP_MD_CTX_free(context) } }

    func add(_ bytes: UnsafeRawBufferPointer) throws {
        guard let context, EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else {
            throw LocalBlobsError.digestFailed
        }
    }

    /// The digest, 32 bytes. Once.
    func finish() throws -> [UInt8] {
        guard let context else { throw LocalBlobsError.digestFailed }
        self.context = nil
        var digest = [UInt8](repeating: 0, count: 32)
        guard ccrypto_sha256_end(context, &digest) == 1 else { throw LocalBlobsError.digestFailed }
        return digest
    }
}
