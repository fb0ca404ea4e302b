// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
public import TheatreContracts
public import TheatrePlugin

/// What a plugin makes of the events of its server's streams.
public protocol StreamedAnswer: Sendable {
    /// Takes one event and gives the part in it, with text or calls of tools only.
    mutating func take(_ event: SSEParser.Event) throws -> ContentChatPart?
    /// The model that answers, once it is known.
    var model: String { get }
    /// Why the answer ended, once it did.
    var finishReason: ContentFinishReason { get }
    /// What it took, once the server said so.
    var usage: ContentUsage? { get }
    /// Whether the server said that nothing comes any more.
    var isDone: Bool { get }
    /// What it took, where the server does not say.
    func estimate(_ request: ContentChatRequest, _ written: String) -> ContentUsage
}

extension StreamedAnswer {
    /// By our own count.
    public func estimate(_ request: ContentChatRequest, _ written: String) -> ContentUsage {
        TokenEstimate.usage(request, written)
    }
}

/// A streamed answer as far as it came.
public struct StreamReading<Answer: StreamedAnswer>: Sendable {
    private var parser = SSEParser()
    /// What came.
    public private(set) var answer: Answer
    /// What was written, of texts and of calls.
    public private(set) var written = ""
    /// Whether the server took the request; what it read then is paid for.
    public var isAccepted = false
    /// What went wrong; nothing after it is read.
    public private(set) var failure: PluginError?

    /// At the beginning of a stream.
    public init(_ answer: Answer) { self.answer = answer }

    /// Takes bytes and gives the parts in them, up to what went wrong.
    public mutating func push(_ bytes: Data) -> [ContentChatPart] {
        var parts: [ContentChatPart] = []
        do {
            for event in try parser.push(bytes) where !answer.isDone && failure == nil {
                guard let part = try answer.take(event) else { continue }
                written += part.text
                for call in part.toolCalls { written += call.name + call.arguments }
                parts.append(part)
            }
        } catch let error as PluginError {
            failure = error
        } catch {
            failure = ContentError.badAnswer("an event is too long")
        }
        return parts
    }

    /// What it took so far.
    public func usage(_ request: ContentChatRequest) -> ContentUsage {
        answer.usage ?? answer.estimate(request, written)
    }
}
