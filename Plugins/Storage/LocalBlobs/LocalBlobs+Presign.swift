// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension LocalBlobs {
    func presign(_ request: BlobPresignRequest, _ call: Call) async throws -> BlobPresignResponse {
        let owner = try BlobOwner(call)
        guard ["GET", "PUT"].contains(request.method) else { throw LocalBlobsError.bad("method", "GET or PUT") }
        guard (1...604_800).contains(request.expiresInS) else {
            throw LocalBlobsError.bad("expires_in_s", "1 to 604800")
        }
        let isPut = request.method == "PUT"
        guard isPut || (request.contentType.isEmpty && request.maxBytes == 0) else {
            throw LocalBlobsError.bad("method", "PUT, which content_type and max_bytes are for")
        }
        guard !isPut || request.fileName.isEmpty else {
            throw LocalBlobsError.bad("method", "GET, which file_name is for")
        }
        guard (0...configuration.maxBytes).contains(request.maxBytes) else {
            throw LocalBlobsError.bad("max_bytes", "0 to \(configuration.maxBytes)")
        }
        guard request.fileName.utf8.count <= 255 else { throw LocalBlobsError.bad("file_name", "at most 255 bytes") }
        if isPut, !request.contentType.isEmpty {
            _ = try BlobDraft.contentType(request.contentType, allowed: configuration.contentTypes)
        }
        let url = SignedURL(
            method: request.method, tenant: owner.tenant, instance: owner.instance,
            key: try BlobDraft.key(request.key), expiresAt: host.now + Int64(request.expiresInS) * 1000,
            contentType: request.contentType, maxBytes: request.maxBytes, fileName: request.fileName)
        let token = try await url.token(call)
        return .with {
            $0.url = host.environment.publicURL + SignedURL.path + token
            $0.expiresAt = url.expiresAt
            if !url.contentType.isEmpty { $0.headers["content-type"] = url.contentType }
        }
    }
}
