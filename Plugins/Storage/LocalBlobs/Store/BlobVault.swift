// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Files and rows together. Bytes are durable in a file before a row refers to them; what no row refers to is swept.
struct BlobVault: Sendable {
    let files: ContentFiles
    let threads: FileThreads
    let configuration: LocalBlobsConfiguration
    /// Bytes written or read in one piece of work for a thread.
    static let piece = 256 * 1024

    init(_ files: ContentFiles, _ configuration: LocalBlobsConfiguration) {
        self.files = files
        self.configuration = configuration
        threads = FileThreads(limit: configuration.threads)
    }

    func prepare() async throws {
        let files = files
        try await threads.run { try files.prepare() }
    }

    // MARK: In

    /// Stores bytes as they come and gives the file its name.
    ///
    /// - Parameters:
    ///   - next: the next bytes, or nil after the last.
    ///   - most: OUT_OF_RANGE `blob.too_large` beyond.
    func receive(
        size: Int64, sha256: String, most: Int64, _ next: () async throws -> Data?
    ) async throws -> Content {
        let files = files
        let name = ULID.next(prefix: "in", at: files.layer.now * 1000)
        let writer = try await threads.run { try files.begin(name) }
        do {
            var count: Int64 = 0
            var waiting = Data()
            while let bytes = try await next() {
                count += Int64(bytes.count)
                guard count <= most else { throw LocalBlobsError.tooLarge(most) }
                guard size == 0 || count <= size else { throw LocalBlobsError.digest }
                waiting.append(bytes)
                guard waiting.count >= Self.piece else { continue }
                let piece = waiting
                waiting = Data()
                try await threads.run { try piece.withUnsafeBytes { try writer.write($0) } }
            }
            guard size == 0 || count == size else { throw LocalBlobsError.digest }
            let rest = waiting
            return try await threads.run {
                try rest.withUnsafeBytes { try writer.write($0) }
                return try writer.finish(expecting: sha256)
            }
        } catch {
            try await threads.run { writer.abandon() }
            throw error
        }
    }

    /// Makes one content of several, checking each.
    func join(_ parts: [Content], sha256: String) async throws -> Content {
        var rest = parts[...]
        var reader: ContentReader?
        return try await receive(
            size: parts.reduce(0) { $0 + $1.size }, sha256: sha256, most: configuration.maxBytes
        ) {
            while true {
                if let bytes = try await reader?.next() { return bytes }
                guard let part = rest.popFirst() else { return nil }
                reader = try await self.open(part, from: 0, count: part.size)
            }
        }
    }

    // MARK: Out

    /// Opens a part of a content. DATA_LOSS `blob.corrupt` where the file is gone or of another length.
    func open(_ content: Content, from offset: Int64, count: Int64) async throws -> ContentReader {
        let files = files
        let file = try await threads.run { () -> (any OpenFile)? in
            guard let file = try files.open(content.digest) else { return nil }
            return try file.size() == content.size ? file : nil
        }
        guard let file else { throw LocalBlobsError.corrupt }
        return ContentReader(file, content, threads, from: offset, count: count)
    }
}

/// Reads a part of a content, piece by piece; a whole one is checked against its digest. One task at a time.
///
/// Unchecked: the place is moved by the task that reads, which waits for each piece.
final class ContentReader: @unchecked Sendable {
    private let file: any OpenFile
    private let content: Content
    private let threads: FileThreads
    private let digest: RunningDigest?
    private var offset: Int64
    private let end: Int64

    init(_ file: any OpenFile, _ content: Content, _ threads: FileThreads, from offset: Int64, count: Int64) {
        self.file = file
        self.content = content
        self.threads = threads
        self.offset = offset
        end = offset + count
        digest = offset == 0 && count == content.size ? RunningDigest() : nil
    }

    /// The next bytes, or nil after the last.
    ///
    /// The last piece of a whole content comes only where its digest is right, so that a small one never comes damaged.
    func next() async throws -> Data? {
        guard offset < end else { return nil }
        let (file, digest, offset, size) = (file, digest, offset, Int(min(end - offset, Int64(BlobVault.piece))))
        let isLast = offset + Int64(size) == end
        let expected = content.digest
        let bytes = try await threads.run {
            var bytes = Data(count: size)
            let count = try bytes.withUnsafeMutableBytes { try file.read($0, at: offset) }
            guard count == size else { throw LocalBlobsError.corrupt }
            try bytes.withUnsafeBytes { try digest?.add($0) }
            if isLast, let digest, Hex.encode(try digest.finish()) != expected { throw LocalBlobsError.corrupt }
            return bytes
        }
        self.offset += Int64(size)
        return bytes
    }
}
