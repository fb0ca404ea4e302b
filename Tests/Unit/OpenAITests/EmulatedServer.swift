// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import OpenAI

/// The plugin in front of the emulated server, joined as the host's egress joins them.
struct EmulatedServer {
    static let key = "sk-test-000000"
    let host = TestHost()
    let emulator: OpenAIEmulator

    init(
        _ configuration: String = "{}", wire: OpenAIEmulator.Wire = OpenAIEmulator.Wire(), given: String? = key,
        asksForKey: Bool = true
    ) async throws {
        let emulator = OpenAIEmulator(
            key: asksForKey ? Self.key : nil, chatModels: ["gpt-4o-mini", "big"],
            embeddingModels: ["text-embedding-3-small", "big"], wire: wire)
        self.emulator = emulator
        host.serve("theatre.host.v1.Egress/Fetch") { (request: HostFetchRequest, _) -> HostFetchResponse in
            let answer = emulator.respond(to: try Self.filled(request, given))
            if answer.cutAfter == 0 {
                throw PluginError(.unavailable, "egress.broken", "The connection broke.", effect: .unknown)
            }
            if answer.delay > Int64(request.timeoutMs) {
                throw PluginError(.deadlineExceeded, "egress.timeout", "No answer in time.", effect: .unknown)
            }
            return Self.head(answer, Data(answer.body))
        }
        host.serveStreaming("theatre.host.v1.Egress/FetchStream") {
            (request: HostFetchRequest, _, output: MessageSink<HostFetchPart>) in
            let answer = emulator.respond(to: try Self.filled(request, given))
            try await output.send(.with { $0.head = Self.head(answer, Data()) })
            for (index, bytes) in answer.parts.enumerated() where index < answer.cutAfter ?? .max {
                try await output.send(.with { $0.data = Data(bytes) })
            }
            if answer.cutAfter != nil {
                throw PluginError(.unavailable, "egress.broken", "The connection broke.", effect: .unknown)
            }
        }
        try await host.install(
            OpenAI.self, manifest: .plugin("Content/OpenAI"), instance: "openai", configuration: configuration)
        host.route("chat", to: "openai")
        host.route("embedding", to: "openai")
    }

    private static func head(_ answer: EmulatorAnswer, _ body: Data) -> HostFetchResponse {
        .with {
            $0.status = UInt32(answer.status)
            $0.headers = answer.headers.map { name, value in
                .with {
                    $0.name = name
                    $0.value = value
                }
            }
            $0.body = body
        }
    }

    private static func filled(_ request: HostFetchRequest, _ given: String?) throws -> EmulatorRequest {
        guard request.url.hasPrefix("https://api.openai.com/") else {
            throw PluginError(.permissionDenied, "egress.refused", "This host is not granted.")
        }
        let fields = try request.headers.map { header in
            guard header.value.contains("${secret:api_key}") else { return (header.name, header.value) }
            guard let given else {
                throw PluginError(.permissionDenied, "egress.secret_misplaced", "There is no secret api_key.")
            }
            return (header.name, header.value.replacing("${secret:api_key}", with: given))
        }
        return EmulatorRequest(
            method: request.method, uri: String(request.url.dropFirst("https://api.openai.com".count)), fields: fields,
            body: Array(request.body))
    }

    /// A client of the chat, by a profile with these parameters.
    func chat(parameters: String = "") -> ContentChatClient {
        ContentChatClient(host.scope(principal: "usr_1", context: { $0.parameters = parameters }), feature: "chat")
    }

    var embedding: ContentEmbeddingClient {
        ContentEmbeddingClient(host.scope(principal: "usr_1"), feature: "embedding")
    }

    /// What a request failed with.
    func failure(_ request: ContentChatRequest) async -> PluginError? {
        do {
            _ = try await chat().complete(request)
            return nil
        } catch { return error as? PluginError }
    }

    /// The parts of a stream and what it failed with.
    func stream(_ request: ContentChatRequest) async -> (parts: [ContentChatPart], error: PluginError?) {
        var parts: [ContentChatPart] = []
        do {
            for try await part in try await chat().stream(request) { parts.append(part) }
            return (parts, nil)
        } catch { return (parts, error as? PluginError) }
    }
}

/// A request with one message.
func asking(_ text: String, _ edit: (inout ContentChatRequest) -> Void = { _ in }) -> ContentChatRequest {
    var request = ContentChatRequest.with {
        $0.messages = [
            .with {
                $0.role = .user
                $0.text = text
            }
        ]
    }
    edit(&request)
    return request
}
