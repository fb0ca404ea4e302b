// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TheatrePlugin

/// What the system answered to a call on a file.
struct FileFault: Error, Sendable, Hashable {
    /// errno.
    var code: Int32
    /// What was tried: `write`.
    var operation: String

    init(_ operation: String, code: Int32 = errno) {
        self.operation = operation
        self.code = code
    }

    /// As callers see it. Without paths: they are nobody's business.
    var pluginError: PluginError {
        switch code {
        case ENOSPC, EDQUOT:
            PluginError(
                .resourceExhausted, "blob.disk_full", "The disk of the blobs is full; make room and send it again.",
                retry: .after(milliseconds: 60_000))
        case EROFS, EACCES, EPERM:
            PluginError(
                .unavailable, "blob.read_only",
                "The folder of the blobs cannot be written (\(text)); make it writable for the host.",
                retry: .after(milliseconds: 60_000))
        case EMFILE, ENFILE, ENOMEM:
            PluginError(
                .unavailable, "blob.busy", "The system has no room for another file (\(text)); send it again.",
                retry: .after(milliseconds: 1000))
        default:
            PluginError(
                .unavailable, "blob.io", "A file of the blobs cannot be used: \(operation) said \(text).", retry: .safe)
        }
    }

    private var text: String { String(cString: strerror(code)) }
}
