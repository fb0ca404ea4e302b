// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// theatre.blob.v1.Store: whole blobs.
extension LocalBlobs {
    func put(
        _ input: MessageStream<BlobPutRequest>, _ call: Call, _ output: MessageSink<BlobBlobInfo>
    ) async throws {
        let owner = try BlobOwner(call)
        var messages = input.makeAsyncIterator()
        guard case .start(let start)? = try await messages.next()?.part else { throw LocalBlobsError.noStart }
        let draft = try BlobDraft(start, configuration)
        try await output.send(
            put(draft, of: owner, call) {
                guard let message = try await messages.next() else { return nil }
                guard case .data(let bytes)? = message.part else { throw LocalBlobsError.noStart }
                return bytes
            })
    }

    /// Stores a blob, from wherever its bytes come.
    func put(
        _ draft: BlobDraft, of owner: BlobOwner, most: Int64? = nil, _ call: Call, _ next: () async throws -> Data?
    ) async throws -> BlobBlobInfo {
        try await scheduleFirstSweep()
        let rows = BlobRows(call, configuration)
        try await rows.expect(draft, of: owner)
        let content = try await vault.receive(
            size: draft.size, sha256: draft.sha256, most: most ?? configuration.maxBytes, next)
        return try await rows.put(draft, content, of: owner, at: host.now)
    }

    func get(_ request: BlobGetRequest, _ call: Call, _ output: MessageSink<BlobGetResponse>) async throws {
        let found = try await find(request.key, of: BlobOwner(call), call)
        try BlobConditions(ifMatch: request.ifMatch).check(found.digest)
        guard let range = ByteRange(offset: request.offset, length: request.length, of: found.info.size) else {
            throw LocalBlobsError.range(found.info.size)
        }
        let reader = try await read(found, range, call)
        try await output.send(.with { $0.info = found.info })
        while let bytes = try await reader.next() {
            for piece in bytes.pieces { try await output.send(.with { $0.data = piece }) }
        }
    }

    /// The row of a key. NOT_FOUND `blob.unknown`.
    func find(_ key: String, of owner: BlobOwner, _ call: Call) async throws -> BlobRows.Found {
        guard let found = try await BlobRows(call, configuration).find(key, of: owner) else {
            throw LocalBlobsError.unknown
        }
        return found
    }

    func read(_ found: BlobRows.Found, _ range: ByteRange, _ call: Call) async throws -> ContentReader {
        do {
            return try await vault.open(
                Content(digest: found.digest, size: found.info.size), from: range.offset, count: range.count)
        } catch let error where error.isCorrupt {
            host.log.error("blob file is damaged or gone", ["digest": found.digest])
            throw error
        }
    }

    func stat(_ request: BlobStatRequest, _ call: Call) async throws -> BlobBlobInfo {
        try await find(request.key, of: BlobOwner(call), call).info
    }

    func delete(_ request: BlobDeleteRequest, _ call: Call) async throws -> BlobDeleteResponse {
        let conditions = BlobConditions(ifMatch: request.conditions.ifMatch)
        try await BlobRows(call, configuration).delete(request.key, conditions, of: BlobOwner(call))
        return BlobDeleteResponse()
    }

    func list(_ request: BlobListRequest, _ call: Call) async throws -> BlobListResponse {
        try await BlobRows(call, configuration).list(request, of: BlobOwner(call))
    }
}

extension Error {
    var isCorrupt: Bool { (self as? PluginError)?.reason == LocalBlobsError.corrupt.reason }
}

extension Data {
    /// In pieces that fit a message and let the other end's credit work.
    var pieces: [Data] {
        stride(from: startIndex, to: endIndex, by: 64 * 1024).map { self[$0..<Swift.min($0 + 64 * 1024, endIndex)] }
    }
}
