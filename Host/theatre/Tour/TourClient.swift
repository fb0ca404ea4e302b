// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import TheatreManifest

/// An ordinary HTTP client of the API: what any integrator would write.
struct TourClient: Sendable {
    let http: HTTPClient
    let server: String
    var token: String?

    /// One answer.
    struct Answer: Sendable {
        var status: Int
        var headers: HTTPHeaders
        var body: [UInt8]
        var json: JSONValue
    }

    /// Sends one request and reads its whole answer.
    func send(
        _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil, idempotencyKey: String? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: server + path)
        request.method = method
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let idempotencyKey { request.headers.add(name: "Idempotency-Key", value: idempotencyKey) }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try body.json()))
        }
        let response = try await http.execute(request, timeout: .seconds(30))
        let bytes = [UInt8](buffer: try await response.body.collect(upTo: 16 << 20))
        let json = bytes.isEmpty ? JSONValue.null : (try? JSONValue(json: Data(bytes))) ?? .null
        return Answer(status: Int(response.status.code), headers: response.headers, body: bytes, json: json)
    }

    /// Sends one request and insists on a status.
    func expect(
        _ status: Int, _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil, idempotencyKey: String? = nil
    ) async throws -> JSONValue {
        let answer = try await send(method, path, body, idempotencyKey: idempotencyKey)
        guard answer.status == status else {
            throw TourFailure("\(method) \(path) answered \(answer.status), \(status) was expected: \(answer.text)")
        }
        return answer.json
    }

    /// Server-sent events of some channels, from `after` on, until the caller stops reading.
    func events(channels: [String], after: Int64) async throws -> EventSource {
        let list = channels.joined(separator: ",").addingPercentEncoding()
        var request = HTTPClientRequest(url: "\(server)/api/v1/realtime/sse?channels=\(list)")
        request.headers.add(name: "Accept", value: "text/event-stream")
        request.headers.add(name: "Last-Event-ID", value: "\(after)")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        let response = try await http.execute(request, deadline: .distantFuture)
        guard response.status == .ok else {
            let text = String(buffer: try await response.body.collect(upTo: 1 << 20))
            throw TourFailure("the event stream answered \(response.status.code): \(text)")
        }
        return EventSource(body: response.body)
    }
}

extension TourClient.Answer {
    /// The body for a message.
    var text: String { String(decoding: body.prefix(600), as: UTF8.self) }
}

/// Something was not as it should be; the tour ends with status 1.
struct TourFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension String {
    /// Everything but unreserved characters, and `:` and `,`, percent-encoded.
    func addingPercentEncoding() -> String {
        utf8.map { byte in
            let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            if isPlain || "-._~:,".utf8.contains(byte) { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.count == 1 ? "0" + digits : digits)
        }.joined()
    }
}
