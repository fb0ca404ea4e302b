// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// theatre.http.v1.Handler: blobs by the URLs that ``presign(_:_:)`` made.
extension LocalBlobs {
    func handleStream(
        _ input: MessageStream<HTTPRequestPart>, _ call: Call, _ output: MessageSink<HTTPResponsePart>
    ) async throws {
        var parts = input.makeAsyncIterator()
        guard case .head(let head)? = try await parts.next()?.part else { throw LocalBlobsError.noStart }
        let token = head.pathParameters.first { $0.name == "token" }?.value ?? ""
        let url = try await SignedURL.read(token, call, at: host.now)
        switch (head.method, url.method) {
        case ("GET", "GET"), ("HEAD", "GET"): try await download(url, head, call, output)
        case ("PUT", "PUT"):
            try await upload(url, head, call, output) {
                guard let part = try await parts.next() else { return nil }
                guard case .data(let bytes)? = part.part else { throw LocalBlobsError.noStart }
                return bytes
            }
        default: throw LocalBlobsError.badURL
        }
    }

    private func download(
        _ url: SignedURL, _ head: HTTPRequest, _ call: Call, _ output: MessageSink<HTTPResponsePart>
    ) async throws {
        let owner = BlobOwner(tenant: url.tenant, instance: url.instance)
        let found = try await find(url.key, of: owner, call)
        let answer = DownloadAnswer(found.info, url, head)
        guard let range = answer.range, head.method == "GET" else {
            return try await output.send(.with { $0.head = answer.head })
        }
        let reader = try await read(found, range, call)
        // The first bytes are read before anything is said: a small damaged blob is an error, not a broken answer.
        var bytes = try await reader.next()
        try await output.send(.with { $0.head = answer.head })
        while let piece = bytes {
            for piece in piece.pieces { try await output.send(.with { $0.data = piece }) }
            bytes = try await reader.next()
        }
    }

    private func upload(
        _ url: SignedURL, _ head: HTTPRequest, _ call: Call, _ output: MessageSink<HTTPResponsePart>,
        _ next: () async throws -> Data?
    ) async throws {
        let type = head.header("content-type")
        guard url.contentType.isEmpty || type == url.contentType else {
            throw LocalBlobsError.badType(type, [url.contentType])
        }
        let most = url.maxBytes > 0 ? url.maxBytes : configuration.maxBytes
        let ifMatch = EntityTags(head.header("if-match"))
        let ifNoneMatch = EntityTags(head.header("if-none-match"))
        let start = BlobPutStart.with {
            $0.key = url.key
            $0.contentType = type
            $0.conditions.ifAbsent = ifNoneMatch.isAny
            $0.conditions.ifMatch = ifMatch.tags.first ?? ""
        }
        do {
            guard Int64(head.header("content-length")) ?? 0 <= most else { throw LocalBlobsError.tooLarge(most) }
            let owner = BlobOwner(tenant: url.tenant, instance: url.instance)
            let info = try await put(BlobDraft(start, configuration), of: owner, most: most, call, next)
            try await output.send(
                .with {
                    $0.head.status = 200
                    $0.head.set("etag", "\"\(info.etag)\"")
                    $0.head.set("cache-control", "no-store")
                    $0.head.set("content-length", "0")
                })
        } catch let error as PluginError {
            guard let status = Self.status(of: error) else { throw error }
            try await output.send(
                .with {
                    $0.head.status = status
                    $0.head.contentType = "text/plain; charset=utf-8"
                    $0.head.set("cache-control", "no-store")
                    $0.head.set("content-length", "\(error.message.utf8.count)")
                })
            try await output.send(.with { $0.data = Data(error.message.utf8) })
        }
    }

    /// What HTTP has a status for and the host's mapping has not.
    private static func status(of error: PluginError) -> UInt32? {
        switch error.reason {
        case LocalBlobsError.exists.reason, LocalBlobsError.changed.reason: 412
        case LocalBlobsError.tooLarge(0).reason: 413
        case LocalBlobsError.quota(0).reason, "blob.disk_full": 507
        default: nil
        }
    }
}

extension HTTPRequest {
    /// The value of a field, or empty.
    func header(_ name: String) -> String { headers.first { $0.name == name }?.value ?? "" }
}

extension HTTPResponse {
    /// Adds a field.
    mutating func set(_ name: String, _ value: String) {
        headers.append(
            .with {
                $0.name = name
                $0.value = value
            })
    }
}
