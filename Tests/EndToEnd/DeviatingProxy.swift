// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Emulators
import FoundationEssentials
import NIOCore
import NIOHTTP1
import TheatreManifest

/// Stands between a client and a server, and changes what the server says.
final class DeviatingProxy: Sendable {
    /// What is changed.
    struct Rule: Sendable {
        /// An answer as it came, and what is handed on. The number counts the answers to this method and path, from 1.
        var answer: @Sendable (_ request: String, _ number: Int, inout Int, inout JSONValue) -> Void = { _, _, _, _ in }
        /// One server-sent event as it came: its lines; what is handed on, or nil for nothing.
        var event: @Sendable (String) -> String? = { $0 }
        /// The stream of events ends after this many.
        var events = Int.max
    }

    private let server: EmulatorServer
    var url: String { server.url }

    init(_ target: String, _ rule: Rule) throws {
        let counts = Counts()
        server = try EmulatorServer { request, exchange in
            // The one bridge from the event loop: a request is carried on by a task of its own.
            Task {
                do {
                    try await Self.carry(request, exchange, target, rule, counts)
                } catch { exchange.cut() }
            }
        }
    }

    func stop() throws { try server.stop() }

    private actor Counts {
        private var seen: [String: Int] = [:]

        func next(_ request: String) -> Int {
            seen[request, default: 0] += 1
            return seen[request] ?? 1
        }
    }

    private static func carry(
        _ request: EmulatorRequest, _ exchange: EmulatorExchange, _ target: String, _ rule: Rule, _ counts: Counts
    ) async throws {
        var onward = HTTPClientRequest(url: target + request.uri)
        onward.method = HTTPMethod(rawValue: request.method)
        for (name, value) in request.headers
        where !["host", "content-length", "connection", "transfer-encoding"].contains(name.lowercased()) {
            onward.headers.add(name: name, value: value)
        }
        if !request.body.isEmpty { onward.body = .bytes(ByteBuffer(bytes: request.body)) }
        let response = try await HTTPClient.shared.execute(onward, deadline: .distantFuture)
        let type = response.headers.first(name: "content-type") ?? "application/octet-stream"
        guard !type.hasPrefix("text/event-stream") else {
            exchange.start(Int(response.status.code), [("content-type", type)])
            return try await stream(response.body, exchange, rule)
        }
        let bytes = [UInt8](buffer: try await response.body.collect(upTo: 16 << 20))
        var status = Int(response.status.code)
        var body = bytes
        if type.hasPrefix("application/json"), var json = try? JSONValue(json: Data(bytes)) {
            let place = "\(request.method) \(request.path)"
            let before = json
            rule.answer(place, await counts.next(place), &status, &json)
            if json != before { body = [UInt8](try json.json()) }
        }
        exchange.respond(status, [("content-type", type)], bytes: body)
    }

    private static func stream(
        _ body: HTTPClientResponse.Body, _ exchange: EmulatorExchange, _ rule: Rule
    ) async throws {
        var pending = "", count = 0
        for try await part in body {
            pending += String(buffer: part)
            while let end = pending.firstRange(of: "\n\n") {
                let event = String(pending[..<end.lowerBound])
                pending.removeSubrange(..<end.upperBound)
                if event.contains("data:") { count += 1 }
                guard count <= rule.events else { return exchange.end() }
                if let event = rule.event(event) { exchange.send(Array("\(event)\n\n".utf8)) }
            }
            guard !exchange.isGone else { return }
        }
        exchange.end()
    }
}
