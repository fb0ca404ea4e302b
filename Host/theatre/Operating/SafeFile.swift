// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc

/// Files of the host's own that are replaced as a whole.
enum SafeFile {
    /// Writes beside `path` and renames: after a power cut it is the old file or the new one. Mode 0600.
    static func replace(_ path: String, with bytes: [UInt8]) throws {
        let draft = "\(path).new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path) }
        let isWritten = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) } == bytes.count
        let isSafe = isWritten && fsync(descriptor) == 0
        let code = errno
        close(descriptor)
        errno = code
        guard isSafe, rename(draft, path) == 0 else { throw failure(path) }
    }

    private static func failure(_ path: String) -> ServeFailure {
        ServeFailure("\(path) cannot be written: \(String(cString: strerror(errno)))")
    }
}
