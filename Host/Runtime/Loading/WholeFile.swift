// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Glibc

/// Reading a file in one piece: libraries have megabytes, and a copy less is milliseconds of a start.
enum WholeFile {
    /// The file's bytes; nil where it cannot be read, with the reason in `errno`.
    static func bytes(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { return nil }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            errno = facts.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL
            return nil
        }
        return bytes(descriptor, Int(facts.st_size))
    }

    /// The first bytes of what is open, up to `count`.
    static func bytes(_ descriptor: Int32, _ count: Int) -> [UInt8]? {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while let base = buffer.baseAddress, filled < count {
                let read = pread(descriptor, base + filled, count - filled, off_t(filled))
                if read < 0, errno == EINTR { continue }
                guard read > 0 else {
                    failed = read < 0
                    return
                }
                filled += read
            }
        }
        return failed ? nil : bytes
    }

    /// SHA-256, hex.
    static func digest(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).map { String(byte: $0) }.joined()
    }
}
