// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A server of the Anthropic Messages API: messages, whole and streamed, and models. It checks requests as the real one
/// does, answers from what it was asked, and has scripted faults.
public final class AnthropicEmulator: Sendable {
    /// What one request meets instead of an ordinary answer.
    public enum Fault: Sendable {
        /// An error by status and type, with words and headers.
        case refusal(Int, type: String, message: String = "The request was refused.", headers: [(String, String)] = [])
        /// A gateway's page that is no JSON.
        case brokenGateway(Int)
        /// This text instead of the emulator's own; where a tool has to be called, its input.
        case say(String)
        /// This text, cut by the bound of tokens.
        case tooLong(String)
        /// It withholds the answer.
        case withhold
        /// After so many events of a stream an error takes the place of the rest.
        case streamError(after: Int, type: String)
        /// The connection is cut after so many events of a stream; for a whole answer, instead of it.
        case cut(after: Int)
        /// The stream ends well after so many events, without its end.
        case endEarly(after: Int)
        /// After so many events of a stream comes one that is no JSON; for a whole answer, it is none.
        case malformed(after: Int)
        /// After so many events of a stream nothing comes any more.
        case stall(after: Int)
        /// The answer comes so much later.
        case slow(milliseconds: Int64)
        /// These instead of the true counts; nil: none are said.
        case count(input: Int?, output: Int?)
    }

    private struct State {
        var faults: [Fault] = []
        var requests: [EmulatorRequest] = []
        var closed = 0
    }

    let key: String
    let models: Set<String>
    let pageSize: Int
    let wire: OpenAIEmulator.Wire
    private let state = Mutex(State())

    /// A server.
    ///
    /// - Parameters:
    ///   - models: by their names of a day; `NAME` stands for `NAME-20250929` too.
    ///   - pageSize: most models of a page, whatever is asked for.
    public init(
        key: String, models: Set<String> = ["claude-sonnet-4-5-20250929"], pageSize: Int = 1000,
        wire: OpenAIEmulator.Wire = OpenAIEmulator.Wire()
    ) {
        (self.key, self.models, self.pageSize, self.wire) = (key, models, pageSize, wire)
    }

    /// Queues faults, one for each authorized request to come.
    public func script(_ faults: Fault...) { state.withLock { $0.faults += faults } }
    /// Whatever came.
    public var requests: [EmulatorRequest] { state.withLock { $0.requests } }
    /// Bodies of what came, in order.
    public var bodies: [String] { requests.map { String(decoding: $0.body, as: UTF8.self) } }

    /// A server in front of it.
    public func serve() throws -> EmulatorServer {
        try EmulatorServer { request, exchange in exchange.give(self.respond(to: request)) }
    }

    /// The answer to a request.
    public func respond(to request: EmulatorRequest) -> EmulatorAnswer {
        state.withLock { $0.requests.append(request) }
        do {
            try check(request)
            let fault = state.withLock { $0.faults.isEmpty ? nil : $0.faults.removeFirst() }
            switch fault {
            case .refusal(let status, let type, let message, let headers):
                throw AnthropicRefusal(status, message, type: type, headers: headers)
            case .brokenGateway(let status):
                return EmulatorAnswer(status, [("content-type", "text/html")], "<html>upstream</html>")
            default: break
            }
            switch (request.method, request.path) {
            case ("GET", "/v1/models"): return limited(try AnthropicModels(models, pageSize).page(request.uri))
            case ("GET", _) where request.path.hasPrefix("/v1/models/"):
                return limited(try AnthropicModels(models, pageSize).one(String(request.path.dropFirst(11))))
            case ("POST", "/v1/messages"):
                let asked = try AnthropicRequest(request.body, known: AnthropicModels(models, pageSize))
                return limited(try AnthropicMessage(asked, fault, wire).answer())
            default: throw AnthropicRefusal(404, "Not found", type: "not_found_error")
            }
        } catch let refusal as AnthropicRefusal {
            return refusal.answer
        } catch {
            return EmulatorAnswer(500, [], "the emulator cannot write its answer: \(error)")
        }
    }

    private func limited(_ answer: EmulatorAnswer) -> EmulatorAnswer {
        var answer = answer
        answer.headers += [
            ("request-id", "req_emulated"), ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-remaining", "49"),
            ("anthropic-ratelimit-requests-reset", "2030-01-01T00:00:00Z"),
            ("anthropic-ratelimit-input-tokens-remaining", "39000"),
            ("anthropic-ratelimit-output-tokens-remaining", "8000"),
        ]
        return answer
    }

    /// The key in one of its two places, a version, and JSON.
    private func check(_ request: EmulatorRequest) throws {
        let bearer = request.field("authorization")
        guard let given = request.field("x-api-key") ?? bearer.map({ String($0.dropFirst(7)) }) else {
            throw AnthropicRefusal(401, "x-api-key header is required", type: "authentication_error")
        }
        guard given == key, bearer?.hasPrefix("Bearer ") ?? true, request.field("x-api-key") == nil || bearer == nil
        else { throw AnthropicRefusal(401, "invalid x-api-key", type: "authentication_error") }
        guard let version = request.field("anthropic-version"), ["2023-06-01", "2026-10-21"].contains(version) else {
            throw AnthropicRefusal(400, "anthropic-version: header is required")
        }
        guard request.method != "POST" || request.field("content-type") == "application/json" else {
            throw AnthropicRefusal(400, "content-type: must be application/json")
        }
    }
}

/// `{"type": "error", "error": {"type", "message"}, "request_id"}`.
struct AnthropicRefusal: Error {
    var status: Int
    var message: String
    var type: String
    var headers: [(String, String)]

    init(
        _ status: Int, _ message: String, type: String = "invalid_request_error", headers: [(String, String)] = []
    ) {
        (self.status, self.message, self.type, self.headers) = (status, message, type, headers)
    }

    var object: [String: Any] {
        ["type": "error", "error": ["type": type, "message": message], "request_id": "req_emulated"]
    }

    var answer: EmulatorAnswer {
        do {
            var answer = try EmulatorAnswer.json(status, object)
            answer.headers += headers
            return answer
        } catch {
            return EmulatorAnswer(500, [], "the emulator cannot write its answer: \(error)")
        }
    }
}

/// The models of the server, in pages.
struct AnthropicModels {
    private let names: [String]
    private let pageSize: Int

    init(_ names: Set<String>, _ pageSize: Int) { (self.names, self.pageSize) = (names.sorted(), pageSize) }

    /// The name of a day; nil where there is none.
    func resolved(_ name: String) -> String? {
        names.contains(name) ? name : names.last { $0.hasPrefix("\(name)-2") }
    }

    func one(_ name: String) throws -> EmulatorAnswer {
        guard let found = resolved(name) else {
            throw AnthropicRefusal(404, "model: \(name)", type: "not_found_error")
        }
        return try EmulatorAnswer.json(200, Self.object(found))
    }

    func page(_ uri: String) throws -> EmulatorAnswer {
        let items = URLComponents(string: uri)?.queryItems ?? []
        let values = Dictionary(items.map { ($0.name, $0.value ?? "") }) { first, _ in first }
        guard let limit = Int(values["limit"] ?? "20"), (1...1000).contains(limit) else {
            throw AnthropicRefusal(400, "limit: must be between 1 and 1000")
        }
        var rest = names[...]
        if let after = values["after_id"] {
            guard let index = names.firstIndex(of: after) else { throw AnthropicRefusal(400, "after_id: not found") }
            rest = names[(index + 1)...]
        }
        let page = rest.prefix(min(limit, pageSize))
        return try EmulatorAnswer.json(
            200,
            [
                "data": page.map(Self.object), "has_more": page.count < rest.count,
                "first_id": page.first as Any? ?? NSNull(), "last_id": page.last as Any? ?? NSNull(),
            ])
    }

    private static func object(_ name: String) -> [String: Any] {
        ["type": "model", "id": name, "display_name": name, "created_at": "2025-09-29T00:00:00Z"]
    }
}
