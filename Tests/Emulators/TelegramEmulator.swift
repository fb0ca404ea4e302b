// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// The Bot API as far as getMe and sendMessage, with the error texts of the real server, and scripted faults.
public final class TelegramEmulator: Sendable {
    /// A message that was accepted.
    public struct Message: Sendable, Hashable {
        /// From 1.
        public var id: Int
        /// The chat, as sent.
        public var chat: String
        /// What people see, after entity parsing.
        public var text: String
        /// Pieces of ``text`` that are bold.
        public var bold: [String]
        /// Without a sound.
        public var isSilent: Bool
    }

    /// What one sendMessage meets instead of success.
    public enum Fault: Sendable {
        /// 429 with `parameters.retry_after`, in seconds.
        case tooManyRequests(retryAfter: Int)
        /// An error by its code and text: 403 "Forbidden: bot was blocked by the user".
        case refusal(Int, String)
        /// The group became a supergroup with this id.
        case migrate(to: Int64)
        /// A gateway's page that is no JSON; the message is stored where `stored`.
        case brokenGateway(Int, stored: Bool)
        /// The message is stored and the answer comes late.
        case late(milliseconds: Int64)
        /// The connection is cut, after the message was stored where `stored`.
        case cut(stored: Bool)
    }

    private struct State {
        var faults: [Fault] = []
        var messages: [Message] = []
        var requests = 0
    }

    private let token: String
    private let chats: Set<String>
    private let state = Mutex(State())

    /// A bot that knows these chats.
    public init(token: String, chats: Set<String>) {
        self.token = token
        self.chats = chats
    }

    /// Queues faults, one for each sendMessage to come.
    public func script(_ faults: Fault...) { state.withLock { $0.faults += faults } }
    /// What was accepted, in order.
    public var messages: [Message] { state.withLock { $0.messages } }
    /// How many requests came.
    public var requests: Int { state.withLock { $0.requests } }

    /// A server in front of it.
    public func serve() throws -> EmulatorServer {
        try EmulatorServer { request, exchange in exchange.give(self.respond(to: request)) }
    }

    /// The answer to a request.
    public func respond(to request: EmulatorRequest) -> EmulatorAnswer {
        state.withLock { $0.requests += 1 }
        let parts = request.path.split(separator: "/")
        guard parts.count == 2, parts[0].hasPrefix("bot") else { return Self.failure(404, "Not Found") }
        let given = String(parts[0].dropFirst(3)).removingPercentEncoding ?? ""
        guard given.wholeMatch(of: #/[0-9]+:[A-Za-z0-9_-]+/#) != nil else { return Self.failure(404, "Not Found") }
        guard given == token else { return Self.failure(401, "Unauthorized") }
        switch parts[1].lowercased() {
        case "getme":
            return Self.success(["id": 7_000_001, "is_bot": true, "first_name": "Theatre", "username": "theatre_bot"])
        case "sendmessage": return sendMessage(request)
        default: return Self.failure(404, "Not Found: method not found")
        }
    }

    private func sendMessage(_ request: EmulatorRequest) -> EmulatorAnswer {
        let message: Message
        do { message = try read(request) } catch { return Self.failure(400, "Bad Request: \(error.text)") }
        guard let fault = state.withLock({ $0.faults.isEmpty ? nil : $0.faults.removeFirst() }) else {
            return accept(message)
        }
        switch fault {
        case .tooManyRequests(let seconds):
            return Self.failure(429, "Too Many Requests: retry after \(seconds)", ["retry_after": seconds])
        case .refusal(let code, let text): return Self.failure(code, text)
        case .migrate(let id):
            return Self.failure(
                400, "Bad Request: group chat was upgraded to a supergroup chat", ["migrate_to_chat_id": id])
        case .brokenGateway(let status, let stored):
            if stored { _ = accept(message) }
            return EmulatorAnswer(status, [("content-type", "text/html")], "<html>Bad Gateway</html>")
        case .late(let milliseconds):
            var answer = accept(message)
            answer.delay = milliseconds
            return answer
        case .cut(let stored):
            if stored { _ = accept(message) }
            return .cut
        }
    }

    private func accept(_ message: Message) -> EmulatorAnswer {
        var message = message
        state.withLock { state in
            message.id = state.messages.count + 1
            state.messages.append(message)
        }
        let chat: [String: Any] = ["id": Int64(message.chat) ?? 0, "type": "private"]
        return Self.success(["message_id": message.id, "date": 1_700_000_000, "chat": chat, "text": message.text])
    }

    /// A refusal of the request's content.
    struct Refusal: Error { var text: String }

    private func read(_ request: EmulatorRequest) throws(Refusal) -> Message {
        guard request.method == "POST",
            request.field("content-type")?.hasPrefix("application/json") == true
        else { throw Refusal(text: "message text is empty") }
        let object: [String: Any]
        do {
            guard let body = try JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any] else {
                throw Refusal(text: "object expected as an request")
            }
            object = body
        } catch { throw Refusal(text: "Can't parse JSON object in the request body") }
        let chat = (object["chat_id"] as? NSNumber).map { "\($0.int64Value)" } ?? object["chat_id"] as? String ?? ""
        guard !chat.isEmpty else { throw Refusal(text: "chat_id is empty") }
        guard let text = object["text"] as? String, !text.isEmpty else { throw Refusal(text: "message text is empty") }
        var message = Message(
            id: 0, chat: chat, text: text, bold: [], isSilent: object["disable_notification"] as? Bool ?? false)
        switch object["parse_mode"] as? String {
        case nil: break
        case "MarkdownV2":
            let parsed = try MarkdownV2Parser.parse(text)
            (message.text, message.bold) = (parsed.text, parsed.bold)
        case let mode?: throw Refusal(text: "unsupported parse_mode \"\(mode)\"")
        }
        let visible = message.text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !visible.isEmpty else { throw Refusal(text: "message text is empty") }
        guard message.text.utf16.count <= 4096 else { throw Refusal(text: "message is too long") }
        guard chats.contains(chat) else {
            throw Refusal(text: "chat not found")
        }
        return message
    }

    private static func success(_ result: [String: Any]) -> EmulatorAnswer {
        json(200, ["ok": true, "result": result])
    }

    private static func failure(_ code: Int, _ text: String, _ parameters: [String: Any] = [:]) -> EmulatorAnswer {
        var body: [String: Any] = ["ok": false, "error_code": code, "description": text]
        if !parameters.isEmpty { body["parameters"] = parameters }
        return json(code, body)
    }

    private static func json(_ status: Int, _ body: [String: Any]) -> EmulatorAnswer {
        do {
            let bytes = try JSONSerialization.data(withJSONObject: body, options: [.sortedKeys])
            return EmulatorAnswer(status, [("content-type", "application/json")], parts: [Array(bytes)])
        } catch {
            return EmulatorAnswer(500, [], "the emulator cannot write its answer: \(error)")
        }
    }
}
