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
    /// What carries the requests.
    var http = HTTPClient.shared

    init(url: String, token: String? = nil) {
        self.url = url
        self.token = token
    }

    /// An answer, whole.
    struct Answer {
        let status: Int
        let version: HTTPVersion
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
        let response = try await http.execute(request, timeout: .seconds(60))
        let bytes = try await response.body.collect(upTo: 16 << 20)
        return Answer(
            status: Int(response.status.code), version: response.version, headers: response.headers,
            body: Array(bytes.readableBytesView))
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

    /// Follows realtime channels until what has come is enough, and goes away.
    ///
    /// - Returns: the text of the stream and how it was carried.
    @discardableResult
    func follow(
        _ channels: String, until isEnough: (String) async throws -> Bool
    ) async throws -> (text: String, version: HTTPVersion) {
        var request = HTTPClientRequest(url: "\(url)/api/v1/realtime/sse?channels=\(channels)")
        request.headers.add(name: "Authorization", value: "Bearer \(token ?? "")")
        let response = try await http.execute(request, timeout: .seconds(60))
        guard response.status == .ok else { throw Unexpected("the stream answered \(response.status)") }
        var text = ""
        for try await part in response.body {
            text += String(buffer: part)
            if try await isEnough(text) { return (text, response.version) }
        }
        throw Unexpected("the stream ended after \(text)")
    }

    /// The value of a metric with these labels, or nil.
    func metric(_ name: String, _ labels: String = "") async throws -> Double? {
        let text = try await get("/metrics").text
        return text.split(separator: "\n").first { $0.hasPrefix("\(name)\(labels) ") }
            .flatMap { $0.split(separator: " ").last.flatMap { Double($0) } }
    }

    /// How many calls of an operation have ended, by code where one is named.
    func calls(of instance: String, _ operation: String, code: String? = nil) async throws -> Int {
        let lines = try await get("/metrics").text.split(separator: "\n").filter { line in
            line.hasPrefix("theatre_calls_total{") && line.contains("instance=\"\(instance)\"")
                && line.contains("operation=\"\(operation)\"")
                && (code.map { line.contains("code=\"\($0)\"") } ?? true)
        }
        return lines.reduce(0) { $0 + Int($1.split(separator: " ").last.flatMap { Double($0) } ?? 0) }
    }
}
