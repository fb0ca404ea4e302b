// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension OpenAI {
    func stream(_ request: ContentChatRequest, _ call: Call, _ output: MessageSink<ContentChatPart>) async throws {
        let body = try ChatBody(request, CallParameters(call), configuration)
        // JSON is of use only when it is whole and was looked at.
        if body.wantsJSON { return try await output.send(Self.whole(try await complete(request, call))) }
        var reading = StreamReading()
        do {
            try await read(try body.json(streamed: true), &reading, call, output)
        } catch {
            guard reading.hasBegun, !(error is CancellationError) else { throw error }
            // What came so far was paid for: the last part says how much that was.
            try await output.send(.with { $0.usage = reading.usage ?? TokenEstimate.usage(request, reading.text) })
            throw error
        }
        try await output.send(
            .with {
                if !reading.hasBegun { $0.model = reading.model }
                $0.finishReason = reading.finishReason
                $0.usage = reading.usage ?? TokenEstimate.usage(request, reading.text)
            })
    }

    private static func whole(_ response: ContentChatResponse) -> ContentChatPart {
        .with {
            $0.text = response.text
            $0.model = response.model
            $0.finishReason = response.finishReason
            $0.usage = response.usage
        }
    }

    /// Sends what comes, and returns at the answer's end; throws where it has none.
    private func read(
        _ json: Data, _ reading: inout StreamReading, _ call: Call, _ output: MessageSink<ContentChatPart>
    ) async throws {
        var head: HostFetchResponse?
        do {
            let parts = try await HostEgressClient(call).fetchStream(fetch("chat/completions", json))
            for try await part in parts {
                switch part.part {
                case .head(let response): head = response
                case .data(let data) where head?.status == 200:
                    for text in reading.push(data) {
                        try await output.send(
                            .with {
                                $0.text = text
                                if !reading.hasBegun { $0.model = reading.model }
                            })
                        reading.hasBegun = true
                    }
                    if let failure = reading.failure { throw failure }
                    if reading.isDone { return }
                case .data(let data):
                    guard (head?.body.count ?? 0) < 64 << 10 else { continue }
                    head?.body.append(data)
                case nil: continue
                }
            }
        } catch let error as PluginError where error.reason.hasPrefix("egress.") {
            throw reading.hasBegun || head?.status == 200 ? Self.brokenOff(error) : OpenAIError.transport(error)
        }
        guard let head else { throw OpenAIError.broken }
        guard head.status == 200 else { throw ServerRefusal(head).error }
        guard reading.finishReason != .unspecified else { throw OpenAIError.broken }
    }

    private static func brokenOff(_ error: PluginError) -> PluginError {
        error.code == .cancelled || error.code == .deadlineExceeded ? OpenAIError.transport(error) : OpenAIError.broken
    }
}

/// A streamed answer as far as it came.
struct StreamReading: Sendable {
    private var parser = SSEParser()
    private(set) var text = ""
    private(set) var model = ""
    private(set) var finishReason = ContentFinishReason.unspecified
    private(set) var usage: ContentUsage?
    /// True after `[DONE]`.
    private(set) var isDone = false
    /// What went wrong; nothing after it is read.
    private(set) var failure: PluginError?
    /// Whether a part was sent on.
    var hasBegun = false

    /// Takes bytes and gives the texts in them, up to what went wrong.
    mutating func push(_ bytes: Data) -> [String] {
        var texts: [String] = []
        do {
            for event in try parser.push(bytes) where !isDone && failure == nil {
                if let text = take(event) { texts.append(text) }
            }
        } catch {
            failure = OpenAIError.badAnswer("an event is too long")
        }
        return texts
    }

    private mutating func take(_ event: SSEParser.Event) -> String? {
        guard event.data != "[DONE]" else {
            isDone = true
            return nil
        }
        guard let chunk = ChatAnswer(Data(event.data.utf8)) else {
            failure = OpenAIError.badAnswer("an event is no JSON")
            return nil
        }
        if let refusal = chunk.refusal {
            failure = refusal.error
            return nil
        }
        if model.isEmpty { model = chunk.model }
        if chunk.finishReason != .unspecified { finishReason = chunk.finishReason }
        if let usage = chunk.usage { self.usage = usage }
        text += chunk.text
        return chunk.text.isEmpty ? nil : chunk.text
    }
}
