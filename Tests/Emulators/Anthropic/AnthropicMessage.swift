// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// One conversation and its answer: the last turn said back; for images what they are; a tool that is named, or has to be
/// called, is called with the text; for the tool `answer` with the outline's instruction, an outline.
struct AnthropicMessage {
    private let request: AnthropicRequest
    private let fault: AnthropicEmulator.Fault?
    private let wire: OpenAIEmulator.Wire
    private var thought = ""
    private var words: [String] = []
    /// What tools are called with, as JSON.
    private var calls: [(name: String, input: String)] = []
    private var reason = "end_turn"

    init(
        _ request: AnthropicRequest, _ fault: AnthropicEmulator.Fault?, _ wire: OpenAIEmulator.Wire
    ) throws {
        (self.request, self.fault, self.wire) = (request, fault, wire)
        if request.budget != nil { thought = "The last turn asks something." }
        let last = request.turns[request.turns.count - 1]
        var given: String?
        switch fault {
        case .say(let text): given = text
        case .tooLong(let text): (given, reason) = (text, "max_tokens")
        case .withhold: (given, reason) = ("", "refusal")
        default: break
        }
        let asksOutline = request.system.hasPrefix("You outline a chapter")
        if let name = request.forced ?? wanted(last.text), reason != "refusal" {
            let input = try given ?? (asksOutline ? OutlineWords.outline(last.text) : Self.json(["text": last.text]))
            calls = [(name, input)]
            if reason == "end_turn" { reason = "tool_use" }
        } else {
            words = OutlineWords.words(try given ?? (asksOutline ? OutlineWords.outline(last.text) : Self.reply(last)))
        }
        cut()
    }

    /// By the bound, or a text that ends the answer.
    private mutating func cut() {
        if let stop = request.stop.first(where: { words.joined().contains($0) }) {
            words = OutlineWords.words(words.joined().components(separatedBy: stop)[0])
            reason = "stop_sequence"
        }
        if words.count > request.maxTokens {
            words = Array(words.prefix(request.maxTokens))
            reason = "max_tokens"
        }
    }

    /// The tool that the text names.
    private func wanted(_ text: String) -> String? {
        request.toolChoice == "auto" ? request.tools.first { text.contains($0) } : nil
    }

    private static func reply(_ turn: AnthropicTurn) -> String {
        if !turn.results.isEmpty { return "The tool said: \(turn.results.joined(separator: ", "))" }
        let images = turn.images.map { "\($0.0) of \($0.1.count) bytes" }
        return images.isEmpty ? "You said: \(turn.text)" : "You showed: \(images.joined(separator: ", "))"
    }

    // MARK: what is sent

    func answer() throws -> EmulatorAnswer {
        if request.isStreamed { return try streamed() }
        switch fault {
        case .cut: return .cut
        case .malformed: return EmulatorAnswer(200, [("content-type", "application/json")], #"{"type": "mess"#)
        default: break
        }
        var content: [[String: Any]] =
            thought.isEmpty ? [] : [["type": "thinking", "thinking": thought, "signature": "s"]]
        if !words.isEmpty { content.append(["type": "text", "text": words.joined()]) }
        for (index, call) in calls.enumerated() {
            var input: Any = [String: Any]()
            do { input = try JSONSerialization.jsonObject(with: Data(call.input.utf8)) } catch {
                input = [String: Any]()
            }
            content.append(["type": "tool_use", "id": "toolu_\(index)", "name": call.name, "input": input])
        }
        var answer = try EmulatorAnswer.json(
            200, frame(["content": content, "stop_reason": reason, "usage": usage(written)]))
        if case .slow(let milliseconds) = fault { answer.delay = milliseconds }
        return answer
    }

    private func frame(_ members: [String: Any]) -> [String: Any] {
        let frame: [String: Any] = [
            "id": "msg_1", "type": "message", "role": "assistant", "model": request.model, "stop_sequence": NSNull(),
        ]
        return frame.merging(members) { $1 }
    }

    private var written: Int {
        OutlineWords.words(thought).count + words.count + calls.reduce(0) { $0 + OutlineWords.words($1.input).count }
    }

    private func usage(_ output: Int) -> [String: Any] {
        var counts: [String: Any] = [:]
        if case .count(let input, let output) = fault {
            if let input { counts["input_tokens"] = input }
            if let output { counts["output_tokens"] = output }
            return counts
        }
        let read = request.turns.reduce(0) { $0 + OutlineWords.words($1.text).count } + 4
        return [
            "input_tokens": read, "output_tokens": output, "cache_creation_input_tokens": 3,
            "cache_read_input_tokens": 5,
        ]
    }

    private func streamed() throws -> EmulatorAnswer {
        var events = try events()
        var answer = EmulatorAnswer(200, [("content-type", "text/event-stream; charset=utf-8")], parts: [])
        var isCut = false
        var isStalled = false
        switch fault {
        case .streamError(let count, let type):
            let refusal = AnthropicRefusal(0, "Overloaded", type: type)
            events = events.prefix(count) + [("error", try Self.json(refusal.object))]
        case .malformed(let count): events = events.prefix(count) + [("content_block_delta", "{\"type\": \"cont")]
        case .cut(let count): (events, isCut) = (Array(events.prefix(count)), true)
        case .stall(let count): (events, isStalled) = (Array(events.prefix(count)), true)
        case .endEarly(let count): events = Array(events.prefix(count))
        case .slow(let milliseconds): answer.delay = milliseconds
        default: break
        }
        let texts = events.map { event in
            "event: \(event.0)\(wire.lineEnd)data: \(event.1)\(wire.lineEnd)\(wire.lineEnd)"
        }
        answer.parts = wire.cut(texts.map { Array($0.utf8) })
        if isCut { answer.cutAfter = answer.parts.count }
        if isStalled { answer.stallAfter = answer.parts.count }
        return answer
    }

    private func events() throws -> [(String, String)] {
        var events: [(String, [String: Any])] = [
            ("message_start", ["message": frame(["content": [Any](), "stop_reason": NSNull(), "usage": usage(1)])])
        ]
        var index = 0
        func block(_ start: [String: Any], _ deltas: [[String: Any]]) {
            events.append(("content_block_start", ["index": index, "content_block": start]))
            if index == 0 { events.append(("ping", [:])) }
            events += deltas.map { ("content_block_delta", ["index": index, "delta": $0]) }
            events.append(("content_block_stop", ["index": index]))
            index += 1
        }
        if !thought.isEmpty {
            block(
                ["type": "thinking", "thinking": "", "signature": ""],
                [["type": "thinking_delta", "thinking": thought], ["type": "signature_delta", "signature": "s"]])
        }
        if !words.isEmpty {
            block(["type": "text", "text": ""], words.map { ["type": "text_delta", "text": $0] })
        }
        for (at, call) in calls.enumerated() {
            let pieces = call.input == "{}" ? [""] : OutlineWords.words(call.input)
            block(
                ["type": "tool_use", "id": "toolu_\(at)", "name": call.name, "input": [String: Any]()],
                pieces.map { ["type": "input_json_delta", "partial_json": $0] })
        }
        let output = usage(written)
        events.append(
            (
                "message_delta",
                [
                    "delta": ["stop_reason": reason, "stop_sequence": NSNull()] as [String: Any],
                    "usage": output["output_tokens"].map { ["output_tokens": $0] } ?? [:],
                ]
            ))
        events.append(("message_stop", [:]))
        return try events.map { name, members in (name, try Self.json(members.merging(["type": name]) { $1 })) }
    }

    private static func json(_ object: [String: Any]) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys]), as: UTF8.self)
    }
}
