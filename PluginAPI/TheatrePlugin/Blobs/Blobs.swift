// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
internal import SwiftProtobuf
public import TheatreContracts

/// The blobs of one instance within the tenant of a call, in whatever store its feature is routed to.
///
/// ```swift
/// let blobs = Blobs(call, feature: "studio.files")
/// try await blobs.put("covers/1.png", bytes, BlobOptions(contentType: "image/png"))
/// let (info, bytes) = try await blobs.get("covers/1.png", limit: 1 << 20)
/// ```
///
/// List in `calls` what is used of `FEATURE/Put`, `Get`, `Stat`, `Delete`, `List` and `Presign`.
public struct Blobs: Sendable {
    package let client: BlobStoreClient
    /// Bytes of a message: small enough that the other end's credit is worth something.
    private static let piece = 64 * 1024

    /// On behalf of `scope`, a ``Call``: a blob belongs to a tenant.
    public init(_ scope: some CallScope, feature: String) {
        client = BlobStoreClient(scope, feature: feature)
    }

    // MARK: In

    /// Stores bytes that are at hand. Safe on disk once it returns.
    ///
    /// - Throws: FAILED_PRECONDITION `blob.exists`, `blob.changed`, RESOURCE_EXHAUSTED `blob.quota`, `blob.disk_full`,
    ///   OUT_OF_RANGE `blob.too_large`.
    @discardableResult
    public func put(_ key: String, _ bytes: Data, _ options: BlobOptions = BlobOptions()) async throws -> BlobBlobInfo {
        var options = options
        options.size = Int64(bytes.count)
        var rest = bytes[...]
        return try await put(key, options) {
            guard !rest.isEmpty else { return nil }
            defer { rest = rest.dropFirst(Self.piece) }
            return rest.prefix(Self.piece)
        }
    }

    /// Stores bytes as a sequence gives them, as fast as the store takes them. A sequence that throws stores nothing.
    @discardableResult
    public func put<Bytes: AsyncSequence>(
        _ key: String, from sequence: Bytes, _ options: BlobOptions = BlobOptions()
    ) async throws -> BlobBlobInfo where Bytes.Element == Data {
        var iterator = sequence.makeAsyncIterator()
        return try await put(key, options) { try await iterator.next(isolation: #isolation) }
    }

    private func put(
        _ key: String, _ options: BlobOptions, _ next: () async throws -> Data?
    ) async throws -> BlobBlobInfo {
        let call = try await client.put()
        do {
            try await call.send(.with { $0.start = options.start(key) })
            while let bytes = try await next() {
                for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: Self.piece) {
                    let end = min(start + Self.piece, bytes.endIndex)
                    try await call.send(.with { $0.data = bytes[start..<end] })
                }
            }
            call.finish()
        } catch {
            // What the store refused with, or what the bytes' source threw: without its end the blob is not stored.
            call.cancel()
            throw error
        }
        for try await info in call.responses { return info }
        throw PluginError(.unknown, "blob.unexpected_answer", "The store answered nothing.", effect: .unknown)
    }

    // MARK: Out

    /// The bytes of a blob, all at once.
    ///
    /// - Parameter limit: most bytes; a larger blob is OUT_OF_RANGE `blob.too_large`, and none of it is read.
    /// - Throws: NOT_FOUND `blob.unknown`, DATA_LOSS `blob.corrupt`.
    public func get(_ key: String, limit: Int) async throws -> (info: BlobBlobInfo, bytes: Data) {
        let download = try await stream(key)
        guard download.info.size <= Int64(limit) else {
            throw PluginError(
                .outOfRange, "blob.too_large",
                "The blob has \(download.info.size) bytes, more than \(limit); stream it.")
        }
        var bytes = Data(capacity: Int(download.info.size))
        for try await piece in download { bytes.append(piece) }
        return (download.info, bytes)
    }

    /// The bytes of a blob or of a part of it as they are read, as fast as they are taken.
    ///
    /// - Parameters:
    ///   - offset: first byte; negative: as many from the end.
    ///   - length: how many; nil: to the end.
    ///   - ifMatch: only where the blob has this ETag, else FAILED_PRECONDITION `blob.changed`; empty: any.
    /// - Throws: NOT_FOUND `blob.unknown`, OUT_OF_RANGE `blob.range`.
    public func stream(
        _ key: String, offset: Int64 = 0, length: Int64? = nil, ifMatch: String = ""
    ) async throws -> BlobDownload {
        let request = BlobGetRequest.with {
            $0.key = key
            $0.offset = offset
            $0.length = length ?? 0
            $0.ifMatch = ifMatch
        }
        let messages = try await client.get(request)
        var iterator = messages.makeAsyncIterator()
        guard case .info(let info)? = try await iterator.next()?.part else {
            throw PluginError(.unknown, "blob.unexpected_answer", "The store did not begin with the blob's info.")
        }
        return BlobDownload(info: info, messages: messages)
    }

    // MARK: About

    /// What is known of a blob, or nil where there is none.
    public func stat(_ key: String) async throws -> BlobBlobInfo? {
        do {
            return try await client.stat(.with { $0.key = key })
        } catch let error as PluginError where error.reason == "blob.unknown" {
            return nil
        }
    }

    /// Removes a blob; nothing where there is none.
    ///
    /// - Parameter ifMatch: only where it has this ETag, else FAILED_PRECONDITION `blob.changed`; empty: any.
    public func delete(_ key: String, ifMatch: String = "") async throws {
        _ = try await client.delete(
            .with {
                $0.key = key
                $0.conditions.ifMatch = ifMatch
            })
    }

    /// Blobs in order of key.
    ///
    /// - Parameters:
    ///   - prefix: only keys that begin so.
    ///   - after: keys strictly after this, such as the last of the page before.
    ///   - limit: at most, 1 to 1000; fewer come where they would not fit a message.
    public func list(
        prefix: String = "", after: String = "", limit: UInt32 = 100
    ) async throws -> (blobs: [BlobBlobInfo], more: Bool) {
        let response = try await client.list(
            .with {
                $0.prefix = prefix
                $0.after = after
                $0.limit = limit
            })
        return (response.blobs, response.more)
    }

    // MARK: URLs

    /// A URL with which anybody may read the blob until it expires. A secret as long as it holds.
    ///
    /// - Parameters:
    ///   - seconds: 1 to 604,800.
    ///   - fileName: the name a browser saves it under; empty: shown in place.
    public func urlToGet(_ key: String, seconds: UInt32, fileName: String = "") async throws -> BlobPresignResponse {
        try await client.presign(
            .with {
                $0.method = "GET"
                $0.key = key
                $0.expiresInS = seconds
                $0.fileName = fileName
            })
    }

    /// A URL with which anybody may store the blob until it expires. A secret as long as it holds.
    ///
    /// - Parameters:
    ///   - seconds: 1 to 604,800.
    ///   - contentType: what must be sent; empty: any.
    ///   - maxBytes: most bytes; 0: the store's bound.
    public func urlToPut(
        _ key: String, seconds: UInt32, contentType: String = "", maxBytes: Int64 = 0
    ) async throws -> BlobPresignResponse {
        try await client.presign(
            .with {
                $0.method = "PUT"
                $0.key = key
                $0.expiresInS = seconds
                $0.contentType = contentType
                $0.maxBytes = maxBytes
            })
    }
}
