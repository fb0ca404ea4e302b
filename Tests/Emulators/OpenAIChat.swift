// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A request of chat/completions that the server would take.
struct OpenAIChatRequest {
    var model: String
    var texts: [String]
    var isStreamed: Bool
    var includesUsage: Bool
    var maxTokens: Int?
    var schemaName: String?

    private static let known: Set<String> = [
        "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "seed",
        "response_format", "n", "stop", "user",
    ]

    init(_ body: [UInt8], models: Set<String>) throws(OpenAIRefusal) {
        let object = try OpenAIChatRequest.object(body)
        for key in object.keys.sorted() where !Self.known.contains(key) {
            throw OpenAIRefusal(400, "Unrecognized request argument supplied: \(key)")
        }
        guard let model = object["model"] as? String, !model.isEmpty else {
            throw OpenAIRefusal(400, "you must provide a model parameter")
        }
        guard models.contains(model) else {
            throw OpenAIRefusal(404, "The model `\(model)` does not exist.", code: "model_not_found")
        }
        self.model = model
        guard let messages = object["messages"] as? [[String: Any]] else {
            throw OpenAIRefusal(400, "Missing required parameter: 'messages'.", param: "messages")
        }
        guard !messages.isEmpty else {
            throw OpenAIRefusal(400, "Invalid 'messages': empty array.", param: "messages", code: "empty_array")
        }
        texts = []
        for (index, message) in messages.enumerated() {
            guard let role = message["role"] as? String, ["system", "user", "assistant"].contains(role) else {
                throw OpenAIRefusal(400, "Invalid value for role.", param: "messages[\(index)].role")
            }
            guard let content = message["content"] as? String else {
                throw OpenAIRefusal(400, "Invalid type for content.", param: "messages[\(index)].content")
            }
            texts.append(content)
        }
        isStreamed = object["stream"] as? Bool ?? false
        let options = object["stream_options"] as? [String: Any]
        guard options == nil || isStreamed else {
            throw OpenAIRefusal(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
        }
        includesUsage = options?["include_usage"] as? Bool ?? false
        maxTokens = (object["max_completion_tokens"] ?? object["max_tokens"]) as? Int
        guard maxTokens ?? 1 > 0 else { throw OpenAIRefusal(400, "Invalid 'max_tokens': integer below minimum value.") }
        let temperature = object["temperature"] as? Double ?? 1
        guard (0...2).contains(temperature) else { throw OpenAIRefusal(400, "Invalid 'temperature'.") }
        schemaName = try Self.schema(object["response_format"] as? [String: Any])
    }

    private static func schema(_ format: [String: Any]?) throws(OpenAIRefusal) -> String? {
        switch format?["type"] as? String {
        case nil, "text", "json_object": return nil
        case "json_schema":
            guard let schema = format?["json_schema"] as? [String: Any], let name = schema["name"] as? String,
                schema["schema"] is [String: Any], name.wholeMatch(of: #/[a-zA-Z0-9_-]{1,64}/#) != nil
            else { throw OpenAIRefusal(400, "Missing required parameter: 'response_format.json_schema'.") }
            return name
        default: throw OpenAIRefusal(400, "Invalid value: 'response_format.type'.")
        }
    }

    static func object(_ body: [UInt8]) throws(OpenAIRefusal) -> [String: Any] {
        do {
            if let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] { return object }
        } catch { throw OpenAIRefusal(400, "We could not parse the JSON body of your request.") }
        throw OpenAIRefusal(400, "We could not parse the JSON body of your request.")
    }
}

/// One conversation and its answer: the last message said back, or for a schema named outline an outline of it.
struct OpenAIChat {
    private let request: OpenAIChatRequest
    private let fault: OpenAIEmulator.Fault?
    private let wire: OpenAIEmulator.Wire
    private let words: [String]
    private let finish: String

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
            text = request.schemaName == "outline" ? try Self.outline(last) : "You said: \(last)"
        }
        var words = Self.words(text)
        if let most = request.maxTokens, words.count > most {
            words = Array(words.prefix(most))
            isCut = true
        }
        self.words = words
        finish = isCut ? "length" : "stop"
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
                        "message": ["role": "assistant", "content": words.joined(), "refusal": NSNull()]
                            as [String: Any],
                    ] as [String: Any]
                ], "usage": usage,
            ])
        if case .slow(let milliseconds) = fault { answer.delay = milliseconds }
        return answer
    }

    private var model: String { "\(request.model)-2025" }

    private var usage: [String: Any] {
        let input = request.texts.reduce(0) { $0 + Self.words($1).count }
        return ["prompt_tokens": input, "completion_tokens": words.count, "total_tokens": input + words.count]
    }

    private func streamed() throws -> EmulatorAnswer {
        var events = [try chunk(["role": "assistant", "content": ""], nil)]
        for word in words { events.append(try chunk(["content": word], nil)) }
        events.append(try chunk([:], finish))
        if request.includesUsage { events.append(try event(["choices": [Any](), "usage": usage])) }
        events.append("[DONE]")
        var answer = EmulatorAnswer(200, [("content-type", "text/event-stream; charset=utf-8")], parts: [])
        var isCut = false
        switch fault {
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
        answer.parts = pieces(texts.map { Array($0.utf8) })
        if isCut { answer.cutAfter = answer.parts.count }
        return answer
    }

    private func pieces(_ events: [[UInt8]]) -> [[UInt8]] {
        guard !wire.pieces.isEmpty else { return events }
        var rest = events.flatMap(\.self)[...]
        var result: [[UInt8]] = []
        while !rest.isEmpty {
            let size = max(1, wire.pieces[result.count % wire.pieces.count])
            result.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return result
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

    /// A Han character, or a word with what follows it.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        for character in text {
            let isWide = (character.unicodeScalars.first?.value ?? 0) >= 0x2E80
            if isWide || words.isEmpty || words.last?.last == " " { words.append("") }
            words[words.count - 1].append(character)
            if isWide { words.append("") }
        }
        return words.filter { !$0.isEmpty }
    }

    /// Each line of a chapter is a beat.
    private static func outline(_ chapter: String) throws -> String {
        let lines = chapter.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.isEmpty }
        let beats = lines.prefix(14).enumerated().map { index, line in
            [
                "number": index + 1, "title": String(line.prefix(8)), "summary": line, "quote": String(line.prefix(20)),
                "characters": [String](), "place": "",
            ] as [String: Any]
        }
        let outline: [String: Any] = [
            "title": lines.first ?? "", "summary": lines.joined(separator: " "), "beats": beats,
            "characters": [["name": String((lines.first ?? "x").prefix(2))]], "places": [[String: Any]](),
            "keywords": [String](),
        ]
        return String(
            decoding: try JSONSerialization.data(withJSONObject: outline, options: [.sortedKeys]), as: UTF8.self)
    }
}
