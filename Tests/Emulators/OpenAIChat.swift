// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// One conversation and its answer: the last message said back, or for a schema named outline an outline of it.
struct OpenAIChat {
    private let request: OpenAIChatRequest
    private let fault: OpenAIEmulator.Fault?
    private let wire: OpenAIEmulator.Wire
    private let words: [String]
    private let finish: String
    /// The tool that is called, and with what.
    private var call: (name: String, arguments: String)?

    init(_ request: OpenAIChatRequest, _ fault: OpenAIEmulator.Fault?, _ wire: OpenAIEmulator.Wire) throws {
        self.request = request
        self.fault = fault
        self.wire = wire
        var isCut = false
        let text: String
        switch fault {
        case .say(let given): text = given
        case .tooLong(let given): (text, isCut) = (given, true)
        default:
            let last = request.texts.last ?? ""
            text = try Self.reply(request, last)
        }
        var words = OutlineWords.words(text)
        if let most = request.maxTokens, words.count > most {
            words = Array(words.prefix(most))
            isCut = true
        }
        let wanted =
            request.toolChoice == "auto" ? request.tools.first { request.texts.last?.contains($0) ?? false } : nil
        if let name = request.toolChoice == "required" ? request.tools.first : wanted, fault == nil {
            let arguments = try JSONSerialization.data(withJSONObject: ["text": request.texts.last ?? ""])
            call = (name, String(decoding: arguments, as: UTF8.self))
            words = []
        }
        self.words = words
        finish = call != nil ? "tool_calls" : isCut ? "length" : "stop"
    }

    private static func reply(_ request: OpenAIChatRequest, _ last: String) throws -> String {
        if request.schemaName == "outline" { return try OutlineWords.outline(last) }
        return request.images.isEmpty
            ? "You said: \(last)" : "You showed: \(request.images.joined(separator: ", "))"
    }

    private var message: [String: Any] {
        var message: [String: Any] = ["role": "assistant", "content": words.joined(), "refusal": NSNull()]
        if let call {
            message["content"] = NSNull()
            message["tool_calls"] = [
                [
                    "id": "call_0", "type": "function",
                    "function": ["name": call.name, "arguments": call.arguments],
                ] as [String: Any]
            ]
        }
        return message
    }

    func answer() throws -> EmulatorAnswer {
        if request.isStreamed { return try streamed() }
        if case .cut = fault { return .cut }
        var answer = try EmulatorAnswer.json(
            200,
            [
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": model,
                "choices": [
                    [
                        "index": 0, "finish_reason": finish,
                        "message": message,
                    ] as [String: Any]
                ], "usage": usage,
            ])
        if case .slow(let milliseconds) = fault { answer.delay = milliseconds }
        return answer
    }

    private var model: String { "\(request.model)-2025" }

    private var usage: [String: Any] {
        if case .wrongUsage = fault {
            return ["prompt_tokens": -5, "completion_tokens": "many", "total_tokens": 1e300]
        }
        let input = request.texts.reduce(0) { $0 + OutlineWords.words($1).count }
        return ["prompt_tokens": input, "completion_tokens": words.count, "total_tokens": input + words.count]
    }

    private func streamed() throws -> EmulatorAnswer {
        var events = [try chunk(["role": "assistant", "content": ""], nil)]
        for word in words { events.append(try chunk(["content": word], nil)) }
        if let call {
            let begin: [String: Any] = [
                "index": 0, "id": "call_0", "type": "function", "function": ["name": call.name, "arguments": ""],
            ]
            events.append(try chunk(["tool_calls": [begin]], nil))
            for piece in OutlineWords.words(call.arguments) {
                let part: [String: Any] = ["index": 0, "function": ["arguments": piece]]
                events.append(try chunk(["tool_calls": [part]], nil))
            }
        }
        events.append(try chunk([:], finish))
        if request.includesUsage { events.append(try event(["choices": [Any](), "usage": usage])) }
        events.append("[DONE]")
        var answer = EmulatorAnswer(200, [("content-type", "text/event-stream; charset=utf-8")], parts: [])
        var isCut = false
        var isStalled = false
        switch fault {
        case .malformed(let count): events = events.prefix(count) + ["{\"choices\": ["]
        case .stall(let count): (events, isStalled) = (Array(events.prefix(count)), true)
        case .streamError(let count, let code):
            let refusal = OpenAIRefusal(0, "The server had an error.", type: "server_error", code: code)
            let body = try JSONSerialization.data(withJSONObject: refusal.object, options: [.sortedKeys])
            events = events.prefix(count) + [String(decoding: body, as: UTF8.self)]
        case .cut(let count): (events, isCut) = (Array(events.prefix(count)), true)
        case .endEarly(let count): events = Array(events.prefix(count))
        case .slow(let milliseconds): answer.pause = milliseconds
        default: break
        }
        let texts = events.map { event in
            (wire.hasComments ? ": keep-alive\(wire.lineEnd)\(wire.lineEnd)" : "")
                + "data: \(event)\(wire.lineEnd)\(wire.lineEnd)"
        }
        answer.parts = wire.cut(texts.map { Array($0.utf8) })
        if isCut { answer.cutAfter = answer.parts.count }
        if isStalled { answer.stallAfter = answer.parts.count }
        return answer
    }

    private func chunk(_ delta: [String: Any], _ finish: String?) throws -> String {
        let choice: [String: Any] = ["index": 0, "delta": delta, "finish_reason": finish as Any? ?? NSNull()]
        return try event(["choices": [choice], "usage": NSNull()])
    }

    private func event(_ members: [String: Any]) throws -> String {
        let frame: [String: Any] = [
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": model,
        ]
        let object = frame.merging(members) { $1 }
        return String(
            decoding: try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys]), as: UTF8.self)
    }
}
