// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
internal import TheatreContracts
public import TheatrePlugin

/// A provider of `theatre.content.v1` in front of its emulator; nil for a contract that it does not provide.
public struct ContentSubject: Sendable {
    /// Calls of `theatre.content.v1.Chat`.
    public var chat: ContentChatClient?
    /// Calls of `theatre.content.v1.Embedding`.
    public var embedding: ContentEmbeddingClient?
    /// As the manifest states it; 0 where it does not.
    public var dimensions: Int
    /// Calls of `theatre.content.v1.Image`.
    public var image: ContentImageClient?
    /// Calls of `theatre.content.v1.Moderation`.
    public var moderation: ContentModerationClient?
    /// Calls of `theatre.content.v1.Provider`.
    public var provider: ContentProviderClient?
    /// Calls of `theatre.content.v1.Rerank`.
    public var rerank: ContentRerankClient?
    /// Calls of `theatre.content.v1.Speech`.
    public var speech: ContentSpeechClient?
    /// Calls of `theatre.content.v1.Transcription`.
    public var transcription: ContentTranscriptionClient?
    /// Calls of `theatre.content.v1.Video`.
    public var video: ContentVideoClient?

    /// A provider to be tested; what else it provides is set afterwards.
    public init(chat: ContentChatClient?, embedding: ContentEmbeddingClient?, dimensions: Int = 0) {
        self.chat = chat
        self.embedding = embedding
        self.dimensions = dimensions
    }

    /// What it provides beside `Provider`, by the last part of the name.
    var capabilities: [String] {
        let all: [(String, Bool)] = [
            ("Chat", chat != nil), ("Embedding", embedding != nil), ("Image", image != nil),
            ("Moderation", moderation != nil), ("Rerank", rerank != nil), ("Speech", speech != nil),
            ("Transcription", transcription != nil), ("Video", video != nil),
        ]
        return all.filter(\.1).map(\.0)
    }

    static let conversation = ContentChatRequest.with {
        $0.messages = [
            .with {
                $0.role = .user
                $0.text = "柳青娘在樊楼看影戏，小满送灯来。樊楼的影戏好看。Who watches the shadow play?"
            }
        ]
        $0.maxTokens = 400
    }
}

/// What every provider of content does.
public enum ContentSuite {
    /// The cases; each wants a fresh subject.
    public static let cases: [SuiteCase<ContentSubject>] = texts + media + judges

    /// Chat and embedding.
    private static let texts: [SuiteCase<ContentSubject>] = [
        SuiteCase("anAnswerSaysWhyItEndedAndWhatItTook") { subject in
            guard let chat = subject.chat else { return }
            let answer = try await chat.complete(ContentSubject.conversation)
            try demand(!answer.text.isEmpty, "The answer is empty.")
            try demand(answer.finishReason != .unspecified, "The answer does not say why it ended.")
            try demand(!answer.model.isEmpty, "The answer does not say which model gave it.")
            try demand(
                answer.usage.inputTokens > 0 && answer.usage.outputTokens > 0, "The answer does not say what it took.")
            try demand(
                answer.usage.outputTokens <= 400,
                "400 tokens were allowed and \(answer.usage.outputTokens) are said to be written.")
        },
        SuiteCase("aStreamBeginsWithItsModelAndEndsWithItsUsage") { subject in
            guard let chat = subject.chat else { return }
            var parts: [ContentChatPart] = []
            for try await part in try await chat.stream(ContentSubject.conversation) { parts.append(part) }
            guard let first = parts.first, let last = parts.last else { throw SuiteFailure("The stream has no part.") }
            try demand(
                !parts.dropLast().contains { $0.finishReason != .unspecified },
                "A part before the last says why the answer ended.")
            try demand(!first.model.isEmpty, "The first part does not name the model.")
            try demand(
                last.hasUsage && last.finishReason != .unspecified, "The last part lacks usage or its reason to end.")
            try demand(!parts.dropLast().contains { $0.hasUsage }, "A part before the last has usage.")
            try demand(!parts.map(\.text).joined().isEmpty, "The stream says nothing.")
        },
        SuiteCase("aConversationWithoutATurnIsRefused") { subject in
            guard let chat = subject.chat else { return }
            let error = try await refusal("A conversation without a turn") {
                try await chat.complete(ContentChatRequest())
            }
            try demand(
                error.code == .invalidArgument && error.effect == .none, "\(error.reason) is not INVALID_ARGUMENT.")
            let streamed = try await refusal("A stream of a conversation without a turn") {
                for try await _ in try await chat.stream(ContentChatRequest()) {}
            }
            try demand(
                streamed.code == error.code && streamed.reason == error.reason,
                "A conversation without a turn is \(error.reason), and \(streamed.reason) where it is streamed.")
        },
        SuiteCase("thereIsOneVectorATextInOrder") { subject in
            guard let embedding = subject.embedding else { return }
            let texts = ["州桥夜市", "the lamp at the bridge", "州桥夜市", "钱塘江潮"]
            let answer = try await embedding.embed(.with { $0.texts = texts })
            try demand(answer.vectors.count == 4, "Four texts gave \(answer.vectors.count) vectors.")
            let length = answer.vectors[0].values.count
            try demand(answer.vectors.allSatisfy { $0.values.count == length }, "The vectors differ in length.")
            try demand(
                subject.dimensions == 0 || length == subject.dimensions,
                "The vectors have \(length) dimensions; the manifest says \(subject.dimensions).")
            try demand(answer.vectors[0] == answer.vectors[2], "The same text gave two vectors.")
            try demand(answer.vectors[0] != answer.vectors[1], "Two texts gave the same vector.")
            try demand(
                answer.vectors.allSatisfy { $0.values.contains { $0 != 0 } && $0.values.allSatisfy(\.isFinite) },
                "A vector is nothing, or holds what is no number.")
            for (index, text) in texts.enumerated() {
                guard let alone = try await embedding.embed(.with { $0.texts = [text] }).vectors.first,
                    alone.values.count == length
                else { throw SuiteFailure("\"\(text)\" alone gave no vector, or one of another length.") }
                let own = alone.likeness(to: answer.vectors[index])
                try demand(
                    answer.vectors.allSatisfy { alone.likeness(to: $0) <= own + 0.000_1 },
                    "Vector \(index) is another text's: the vectors are not in the order of the texts.")
            }
        },
        SuiteCase("noTextsAndTooManyAreRefused") { subject in
            guard let embedding = subject.embedding else { return }
            for count in [0, 257] {
                let error = try await refusal("A request with \(count) texts") {
                    try await embedding.embed(.with { $0.texts = Array(repeating: "灯", count: count) })
                }
                try demand(error.code == .invalidArgument, "\(count) texts: \(error.reason) is not INVALID_ARGUMENT.")
            }
        },
    ]
}

extension ContentVector {
    /// The cosine of the angle between both.
    fileprivate func likeness(to other: ContentVector) -> Float {
        var (product, own, others) = (Float(0), Float(0), Float(0))
        for (a, b) in zip(values, other.values) {
            product += a * b
            own += a * a
            others += b * b
        }
        return product / (own * others).squareRoot()
    }
}
