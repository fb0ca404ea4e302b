// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// theatre.blob.v1.Store: blobs in parts.
extension LocalBlobs {
    func createUpload(_ request: BlobCreateUploadRequest, _ call: Call) async throws -> BlobUpload {
        try await scheduleFirstSweep()
        let owner = try BlobOwner(call)
        let draft = try BlobDraft(request.start, configuration)
        let rows = BlobRows(call, configuration)
        try await rows.expect(draft, of: owner)
        return try await rows.createUpload(draft, of: owner, at: host.now)
    }

    func putPart(
        _ input: MessageStream<BlobPutPartRequest>, _ call: Call, _ output: MessageSink<BlobPartInfo>
    ) async throws {
        let owner = try BlobOwner(call)
        var messages = input.makeAsyncIterator()
        guard case .start(let start)? = try await messages.next()?.part else { throw LocalBlobsError.noStart }
        guard (1...10_000).contains(start.number) else { throw LocalBlobsError.bad("number", "1 to 10000") }
        let rows = BlobRows(call, configuration)
        let upload = try await rows.upload(start.uploadID, of: owner, at: host.now)
        guard upload.completed == nil else { throw LocalBlobsError.unknownUpload }
        let content = try await vault.receive(size: 0, sha256: "", most: configuration.maxBytes) {
            guard let message = try await messages.next() else { return nil }
            guard case .data(let bytes)? = message.part else { throw LocalBlobsError.noStart }
            return bytes
        }
        try await rows.putPart(start.number, content, of: start.uploadID, owner, at: host.now)
        try await output.send(
            .with {
                $0.number = start.number
                $0.size = content.size
                $0.etag = content.digest
            })
    }

    func listParts(_ request: BlobListPartsRequest, _ call: Call) async throws -> BlobListPartsResponse {
        let rows = BlobRows(call, configuration)
        _ = try await rows.upload(request.uploadID, of: BlobOwner(call), at: host.now)
        let parts = try await rows.parts(of: request.uploadID)
        return .with { $0.parts = parts }
    }

    func completeUpload(_ request: BlobCompleteUploadRequest, _ call: Call) async throws -> BlobBlobInfo {
        let owner = try BlobOwner(call)
        let rows = BlobRows(call, configuration)
        let upload = try await rows.upload(request.uploadID, of: owner, at: host.now)
        if let completed = upload.completed { return completed }
        let parts = try Self.chosen(request.parts, of: await rows.parts(of: upload.id))
        let total = parts.reduce(Int64(0)) { $0 + $1.size }
        guard total <= configuration.maxBytes else { throw LocalBlobsError.tooLarge(configuration.maxBytes) }
        guard upload.draft.size == 0 || upload.draft.size == total else { throw LocalBlobsError.digest }
        try await rows.expect(upload.draft, of: owner)
        let content = try await vault.join(parts, sha256: upload.draft.sha256)
        return try await rows.complete(upload.id, content, of: owner, at: host.now)
    }

    /// The parts to make the blob of, in the order of their numbers.
    private static func chosen(_ wanted: [BlobPartInfo], of stored: [BlobPartInfo]) throws -> [Content] {
        let byNumber = Dictionary(stored.map { ($0.number, $0) }, uniquingKeysWith: { $1 })
        let chosen = wanted.isEmpty ? stored : wanted.sorted { $0.number < $1.number }
        guard !chosen.isEmpty else { throw LocalBlobsError.partMissing(1) }
        var last: UInt32 = 0
        return try chosen.map { part in
            guard let found = byNumber[part.number], found.etag == part.etag.lowercased(), part.number > last else {
                throw LocalBlobsError.partMissing(part.number)
            }
            last = part.number
            return Content(digest: found.etag, size: found.size)
        }
    }

    func abortUpload(_ request: BlobAbortUploadRequest, _ call: Call) async throws -> BlobAbortUploadResponse {
        try await BlobRows(call, configuration).abort(request.uploadID, of: BlobOwner(call))
        return BlobAbortUploadResponse()
    }
}
