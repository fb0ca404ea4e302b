// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// What a provider of content may do wrong.
enum ContentFault: Sendable {
    case saysNothing, endsWithoutReason, hidesItsModel, countsNothing, writesTooMuch, takesSilence
    case streamsNothing, streamsSilence, hidesItsModelInStreams, endsWithoutUsage, countsEachPart, endsTwice
    case streamsFromSilence, refusesStreamsOtherwise
    case leavesOut, differsInLength, isOfAnotherLength, differsEachTime, isTheSame, turnsAround, isNothing, isNoNumber
    case embedsNoTexts, embedsTooMany
}

/// A model that says back what it hears, with a fault or none.
struct FaultyContent {
    let host = TestHost()
    private static let dimensions = 8

    var subject: ContentSubject {
        let scope = host.scope()
        return ContentSubject(
            chat: ContentChatClient(scope, feature: "content"),
            embedding: ContentEmbeddingClient(scope, feature: "content"), dimensions: Self.dimensions)
    }

    init(_ fault: ContentFault?) {
        host.fake("content", "Complete") { (request: ContentChatRequest, _) in
            if fault != .takesSilence { try Self.check(request) }
            return ContentChatResponse.with {
                $0.text = fault == .saysNothing ? "" : "A lamp."
                $0.finishReason = fault == .endsWithoutReason ? .unspecified : .stop
                $0.model = fault == .hidesItsModel ? "" : "echo"
                if fault != .countsNothing { $0.usage = Self.usage(fault == .writesTooMuch ? 4000 : 3) }
            }
        }
        host.serveStreaming("content/Stream") {
            (request: ContentChatRequest, _, output: MessageSink<ContentChatPart>) in
            if fault != .streamsFromSilence { try Self.check(request, fault) }
            guard fault != .streamsNothing else { return }
            for (index, word) in ["A", " lamp", "."].enumerated() {
                try await output.send(
                    .with {
                        $0.text = fault == .streamsSilence ? "" : word
                        if index == 0, fault != .hidesItsModelInStreams { $0.model = "echo" }
                        if fault == .countsEachPart { $0.usage = Self.usage(1) }
                        if index == 1, fault == .endsTwice { $0.finishReason = .length }
                    })
            }
            try await output.send(
                .with {
                    if fault != .endsWithoutUsage { $0.usage = Self.usage(3) }
                    $0.finishReason = .stop
                })
        }
        let calls = Shared(0)
        host.fake("content", "Embed") { (request: ContentEmbedRequest, _) in
            let isFew = !request.texts.isEmpty || fault == .embedsNoTexts
            guard isFew, request.texts.count <= 256 || fault == .embedsTooMany else {
                throw PluginError(.invalidArgument, "content.count", "1 to 256 texts.", detail: "/texts")
            }
            var vectors = request.texts.map { text in
                let seed = calls.with { calls in
                    calls += 1
                    return fault == .differsEachTime ? calls : 0
                }
                return Self.vector(text, seed, fault)
            }
            if fault == .leavesOut { _ = vectors.popLast() }
            if fault == .differsInLength { _ = vectors.indices.last.map { vectors[$0].values.append(1) } }
            if fault == .turnsAround, vectors.count > 3 { vectors.swapAt(1, 3) }
            let made = vectors
            return ContentEmbedResponse.with { $0.vectors = made }
        }
    }

    private static func check(_ request: ContentChatRequest, _ fault: ContentFault? = nil) throws {
        guard request.messages.isEmpty else { return }
        let reason = fault == .refusesStreamsOtherwise ? "content.empty" : "content.no_message"
        throw PluginError(.invalidArgument, reason, "Somebody has to say something.")
    }

    private static func usage(_ count: Int64) -> ContentUsage {
        .with {
            $0.inputTokens = 4
            $0.outputTokens = count
        }
    }

    private static func vector(_ text: String, _ seed: Int, _ fault: ContentFault?) -> ContentVector {
        .with { vector in
            var state = UInt32(truncatingIfNeeded: seed)
            for byte in text.utf8 { state = state &* 31 &+ UInt32(byte) }
            if fault == .isTheSame { state = 7 }
            vector.values = (0..<(fault == .isOfAnotherLength ? 4 : dimensions)).map { _ in
                state = state &* 1_664_525 &+ 1_013_904_223
                return Float(state >> 8) / Float(1 << 23) - 1
            }
            if fault == .isNothing { vector.values = vector.values.map { _ in 0 } }
            // Equal to itself, as the suite compares messages, is no number either.
            if fault == .isNoNumber { vector.values[0] = .infinity }
        }
    }
}

struct ContentSuiteTests {
    private static let breaches: [Breach<ContentFault>] = [
        Breach(.saysNothing, "anAnswerSaysWhyItEndedAndWhatItTook", "The answer is empty"),
        Breach(.endsWithoutReason, "anAnswerSaysWhyItEndedAndWhatItTook", "does not say why it ended"),
        Breach(.hidesItsModel, "anAnswerSaysWhyItEndedAndWhatItTook", "does not say which model gave it"),
        Breach(.countsNothing, "anAnswerSaysWhyItEndedAndWhatItTook", "does not say what it took"),
        Breach(.writesTooMuch, "anAnswerSaysWhyItEndedAndWhatItTook", "400 tokens were allowed and 4000"),
        Breach(.streamsNothing, "aStreamBeginsWithItsModelAndEndsWithItsUsage", "The stream has no part"),
        Breach(.streamsSilence, "aStreamBeginsWithItsModelAndEndsWithItsUsage", "The stream says nothing"),
        Breach(.hidesItsModelInStreams, "aStreamBeginsWithItsModelAndEndsWithItsUsage", "does not name the model"),
        Breach(.endsWithoutUsage, "aStreamBeginsWithItsModelAndEndsWithItsUsage", "The last part lacks usage"),
        Breach(.countsEachPart, "aStreamBeginsWithItsModelAndEndsWithItsUsage", "A part before the last has usage"),
        Breach(.endsTwice, "aStreamBeginsWithItsModelAndEndsWithItsUsage", "A part before the last says why"),
        Breach(.takesSilence, "aConversationWithoutATurnIsRefused", "A conversation without a turn succeeded"),
        Breach(.streamsFromSilence, "aConversationWithoutATurnIsRefused", "A stream of a conversation without a turn"),
        Breach(.refusesStreamsOtherwise, "aConversationWithoutATurnIsRefused", "content.empty where it is streamed"),
        Breach(.leavesOut, "thereIsOneVectorATextInOrder", "Four texts gave 3 vectors"),
        Breach(.differsInLength, "thereIsOneVectorATextInOrder", "The vectors differ in length"),
        Breach(.isOfAnotherLength, "thereIsOneVectorATextInOrder", "have 4 dimensions; the manifest says 8"),
        Breach(.differsEachTime, "thereIsOneVectorATextInOrder", "The same text gave two vectors"),
        Breach(.isTheSame, "thereIsOneVectorATextInOrder", "Two texts gave the same vector"),
        Breach(.turnsAround, "thereIsOneVectorATextInOrder", "not in the order of the texts"),
        Breach(.isNothing, "thereIsOneVectorATextInOrder", "Two texts gave the same vector"),
        Breach(.isNoNumber, "thereIsOneVectorATextInOrder", "holds what is no number"),
        Breach(.embedsNoTexts, "noTextsAndTooManyAreRefused", "A request with 0 texts succeeded"),
        Breach(.embedsTooMany, "noTextsAndTooManyAreRefused", "A request with 257 texts succeeded"),
    ]

    @Test(arguments: ContentSuite.cases) func aSoundProviderPasses(_ rule: SuiteCase<ContentSubject>) async throws {
        try await rule.run(FaultyContent(nil).subject)
    }

    @Test(arguments: breaches) func aBreachIsNoticed(_ breach: Breach<ContentFault>) async throws {
        try await breach.isNoticed(by: ContentSuite.cases, FaultyContent(breach.fault).subject)
    }
}
