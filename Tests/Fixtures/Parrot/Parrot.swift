// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Says words back to front. `Tests/Foreign/parrot.py` is the same plugin as a server in Python.
struct Parrot: Plugin, ContentChatContract, NotificationChannelContract {
    static var operations: [Operation<Parrot>] { contentChatOperations + notificationChannelOperations }

    init(_ host: PluginHost, _ configuration: ParrotConfiguration) throws {}

    func complete(_ request: ContentChatRequest, _ call: Call) async throws -> ContentChatResponse {
        let words = try Self.words(request)
        return .with {
            $0.text = words.reversed().joined(separator: " ")
            $0.finishReason = .stop
            $0.usage = Self.usage(words)
            $0.model = "parrot-1"
        }
    }

    func stream(_ request: ContentChatRequest, _ call: Call, _ output: MessageSink<ContentChatPart>) async throws {
        let words = try Self.words(request)
        for (index, word) in words.reversed().enumerated() {
            try await output.send(
                .with {
                    $0.text = String(word)
                    if index == 0 { $0.model = "parrot-1" }
                })
        }
        try await output.send(
            .with {
                $0.finishReason = .stop
                $0.usage = Self.usage(words)
            })
    }

    func send(_ request: NotificationSendRequest, _ call: Call) async throws -> NotificationDelivery {
        guard !request.body.isEmpty else {
            throw PluginError(
                .invalidArgument, "notification.rejected", "A parrot wants something to say: «…».", detail: "/body")
        }
        return .with {
            $0.providerReference = "\(call.tenant):\(call.principal):\(call.idempotencyKey):\(call.attempt)"
        }
    }

    /// The words of the last message; `refuse` says how a parrot refuses.
    private static func words(_ request: ContentChatRequest) throws -> [Substring] {
        guard let last = request.messages.last else {
            throw PluginError(
                .invalidArgument, "parrot.silence", "There is no message to say back.", detail: "/messages")
        }
        let words = last.text.split(separator: " ")
        switch words.first {
        case "refuse":
            throw PluginError(
                .resourceExhausted, "parrot.tired", "The parrot sleeps 💤; ask again.", effect: .none,
                retry: .after(milliseconds: 1500))
        case "applied":
            throw PluginError(.internal, "parrot.half", "It was said, and nobody heard it.", effect: .applied)
        default: return words
        }
    }

    private static func usage(_ words: [Substring]) -> ContentUsage {
        .with {
            $0.inputTokens = Int64(words.count)
            $0.outputTokens = Int64(words.count)
        }
    }
}

/// Nothing can be set.
struct ParrotConfiguration: Decodable, Sendable {}
