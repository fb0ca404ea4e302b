// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import TheatreManifest

/// What the fixture `Journal` puts into a store of blobs.
extension JournalClient {
    /// The file of `plugins.d` with LocalBlobs in its state folder, `state/blobs`.
    static func blobs(mode: String = "inproc") -> [String: String] {
        let grants = "grants: {state_folder: true, keys: {urls: {key: blobs}}}"
        return ["30-blobs.yaml": "plugin: LocalBlobs\ninstance: blobs\nmode: \(mode)\n\(grants)\n"]
    }

    /// Puts a blob; empty where it was stored, else the reason why not.
    func putBlob(_ key: String, _ bytes: ByteBuffer) async throws -> String {
        var request = HTTPClientRequest(url: "\(url)/api/v1/journal/blobs/\(key)")
        request.method = .PUT
        request.headers.add(name: "Content-Type", value: "application/octet-stream")
        request.body = .bytes(bytes)
        let response = try await http.execute(request, timeout: .seconds(30))
        let body = String(buffer: try await response.body.collect(upTo: 1 << 20))
        if response.status == .created { return "" }
        let error = try JSONValue(json: Data(body.utf8))
        guard let reason = error.value(at: "/details/reason")?.string, error["retryable"] == .bool(true) else {
            throw Unexpected("\(key) answered \(response.status): \(body)")
        }
        return reason
    }

    /// The bytes of a blob.
    func blob(_ key: String) async throws -> ByteBuffer {
        let request = HTTPClientRequest(url: "\(url)/api/v1/journal/blobs/\(key)")
        let response = try await http.execute(request, timeout: .seconds(30))
        return try await response.body.collect(upTo: 1 << 20)
    }
}
