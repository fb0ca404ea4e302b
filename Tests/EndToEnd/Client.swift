// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import TheatreManifest

/// An HTTP client of a server under test.
struct Client {
    let url: String
    var token: String?

    init(url: String, token: String? = nil) {
        self.url = url
        self.token = token
    }

    /// An answer, whole.
    struct Answer {
        let status: Int
        let headers: HTTPHeaders
        let body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
        var json: JSONValue {
            get throws { try JSONValue(json: Data(body)) }
        }
    }

    /// GET.
    func get(_ path: String, headers: [(String, String)] = []) async throws -> Answer {
        try await send(.GET, path, nil, headers: headers)
    }

    /// POST of JSON.
    func post(_ path: String, _ body: JSONValue = .object([:]), key: String? = nil) async throws -> Answer {
        try await send(.POST, path, body, headers: key.map { [("Idempotency-Key", $0)] } ?? [])
    }

    /// Any request.
    func send(_ method: HTTPMethod, _ path: String, _ body: JSONValue?, headers: [(String, String)] = []) async throws
        -> Answer
    {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try body.json()))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let bytes = try await response.body.collect(upTo: 16 << 20)
        return Answer(
            status: Int(response.status.code), headers: response.headers, body: Array(bytes.readableBytesView))
    }

    /// The JSON of an answer that must have this status.
    func expect(
        _ status: Int, _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil, key: String? = nil
    ) async throws -> JSONValue {
        let answer = try await send(method, path, body, headers: key.map { [("Idempotency-Key", $0)] } ?? [])
        guard answer.status == status else {
            throw Unexpected("\(method) \(path) answered \(answer.status), not \(status): \(answer.text)")
        }
        return answer.body.isEmpty ? .null : try answer.json
    }

    /// The value of a metric with these labels, or nil.
    func metric(_ name: String, _ labels: String = "") async throws -> Double? {
        let text = try await get("/metrics").text
        return text.split(separator: "\n").first { $0.hasPrefix("\(name)\(labels) ") }
            .flatMap { $0.split(separator: " ").last.flatMap { Double($0) } }
    }
}
