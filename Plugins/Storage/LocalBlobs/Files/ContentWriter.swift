// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// A file on its way in. One thread at a time, which its owner sees to; everything blocks.
///
/// Unchecked: the digest and the count are used by whoever writes, one piece after the other.
final class ContentWriter: @unchecked Sendable {
    private let files: ContentFiles
    private let path: String
    private let file: any OpenFile
    private let digest = RunningDigest()
    private(set) var size: Int64 = 0

    init(_ files: ContentFiles, path: String, file: any OpenFile) {
        self.files = files
        self.path = path
        self.file = file
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try file.write(bytes)
        try digest.add(bytes)
        size += Int64(bytes.count)
    }

    /// Makes it durable under its digest.
    ///
    /// - Parameter expected: the digest it must have; empty: any.
    /// - Throws: DATA_LOSS `blob.digest`.
    func finish(expecting expected: String) throws -> Content {
        let digest = Hex.encode(try digest.finish())
        guard expected.isEmpty || expected == digest else { throw LocalBlobsError.digest }
        try file.sync()
        try files.place(path, as: digest)
        return Content(digest: digest, size: size)
    }

    /// Lets go of it. A file that cannot be removed now is left to the sweep.
    func abandon() {
        do { try files.discard(path) } catch {
            // The sweep takes it once it is old.
        }
    }
}

/// Bytes that are in a file.
struct Content: Sendable, Hashable {
    /// SHA-256, in hexadecimal.
    var digest: String
    /// Bytes.
    var size: Int64
}
