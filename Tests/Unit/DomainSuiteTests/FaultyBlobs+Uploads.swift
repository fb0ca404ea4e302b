// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// Blobs that come in parts.
extension FaultyBlobs {
    func serveUploads() {
        let own = self
        host.fake("blobs", "CreateUpload") { (request: BlobCreateUploadRequest, _) in
            own.state.with { state in
                let id = "upl_\(state.number())"
                state.uploads[id] = Upload(start: request.start)
                return BlobUpload.with {
                    $0.uploadID = id
                    $0.key = request.start.key
                }
            }
        }
        host.serveBidirectional("blobs/PutPart") {
            (input: MessageStream<BlobPutPartRequest>, call, output: MessageSink<BlobPartInfo>) in
            var start = BlobPartStart()
            var bytes = Data()
            for try await message in input {
                switch message.part {
                case .start(let given): start = given
                case .data(let more): bytes += more
                case nil: continue
                }
            }
            try await output.send(try own.putPart(start, bytes, own.owner(call)))
        }
        host.fake("blobs", "ListParts") { (request: BlobListPartsRequest, _) in
            let parts = try own.upload(request.uploadID).parts.sorted { $0.number < $1.number }
            return BlobListPartsResponse.with { $0.parts = parts.map { Self.info($0.number, $0.bytes) } }
        }
        host.fake("blobs", "CompleteUpload") { (request: BlobCompleteUploadRequest, call) in
            try own.complete(request, own.owner(call))
        }
        host.fake("blobs", "AbortUpload") { (request: BlobAbortUploadRequest, _) in
            own.state.with { state in
                if own.fault != .keepsAborted { state.uploads[request.uploadID] = nil }
            }
            return BlobAbortUploadResponse()
        }
    }

    private static func info(_ number: UInt32, _ bytes: Data) -> BlobPartInfo {
        .with {
            $0.number = number
            $0.size = Int64(bytes.count)
            $0.etag = Hex.encode(Digest.sha256(bytes))
        }
    }

    private func upload(_ id: String) throws -> Upload {
        guard let upload = state.with({ $0.uploads[id] }) else {
            throw PluginError(.notFound, "blob.unknown_upload", "There is no such upload.")
        }
        return upload
    }

    private func putPart(_ start: BlobPartStart, _ bytes: Data, _ owner: String) throws -> BlobPartInfo {
        var upload = try upload(start.uploadID)
        upload.parts.removeAll { $0.number == start.number }
        upload.parts.append((start.number, bytes))
        let kept = upload
        state.with { $0.uploads[start.uploadID] = kept }
        if fault == .showsUnfinished { _ = try put(kept.start, bytes, owner) }
        return Self.info(start.number, bytes)
    }

    private func complete(_ request: BlobCompleteUploadRequest, _ owner: String) throws -> BlobBlobInfo {
        if let done = state.with({ $0.completed[request.uploadID] }), fault != .forgetsCompletion { return done }
        let upload = try upload(request.uploadID)
        let known = Set(upload.parts.map(\.number))
        guard request.parts.allSatisfy({ known.contains($0.number) }) || fault == .inventsParts else {
            throw PluginError(.failedPrecondition, "blob.part_missing", "A part is not there.")
        }
        let parts =
            fault == .joinsInOrderOfArrival ? upload.parts : upload.parts.sorted { $0.number < $1.number }
        let made = try put(upload.start, parts.reduce(into: Data()) { $0 += $1.bytes }, owner)
        state.with { state in
            state.uploads[request.uploadID] = nil
            state.completed[request.uploadID] = made
        }
        return made
    }
}
