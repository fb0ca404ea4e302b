// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import EmulatedHost
import Emulators
import FoundationEssentials
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatreManifest
import TheatrePlugin
import TheatrePluginTesting

@testable import Anthropic

/// The plugin in front of the emulated server, joined as the host's egress joins them.
struct EmulatedServer {
    static let key = "sk-ant-test-000000"
    let host = TestHost()
    let emulator: AnthropicEmulator
    /// How many streams their reader gave up.
    let closed = Closed()

    final class Closed: Sendable {
        private let state = Mutex(0)
        var count: Int { state.withLock { $0 } }
        func add() { state.withLock { $0 += 1 } }
    }

    /// - Parameter waits: whether a stream that stalls stays open; else it is late at once.
    init(
        _ configuration: String = "{}", models: Set<String> = ["claude-sonnet-4-5-20250929"], pageSize: Int = 1000,
        wire: OpenAIEmulator.Wire = OpenAIEmulator.Wire(), given: String = key, waits: Bool = false
    ) async throws {
        let emulator = AnthropicEmulator(key: Self.key, models: models, pageSize: pageSize, wire: wire)
        self.emulator = emulator
        let bases = ["https://api.anthropic.com"], secrets = ["api_key": given]
        host.emulate(bases, secrets: secrets) { emulator.respond(to: $0) }
        let closed = closed
        host.emulateStreams(bases, secrets: secrets, waits: waits, closed: { closed.add() }) {
            emulator.respond(to: $0)
        }
        try await host.install(
            Anthropic.self, manifest: .plugin("Content/Anthropic"), instance: "anthropic", configuration: configuration)
        host.route("chat", to: "anthropic", capability: "theatre.content.v1.Chat")
        host.route("provider", to: "anthropic", capability: "theatre.content.v1.Provider")
    }

    /// A client of the chat, by a profile with these parameters.
    func chat(parameters: String = "") -> ContentChatClient {
        ContentChatClient(host.scope(principal: "usr_1", context: { $0.parameters = parameters }), feature: "chat")
    }

    /// A client of what is said of the provider itself.
    var provider: ContentProviderClient { ContentProviderClient(host.scope(principal: "usr_1"), feature: "provider") }

    /// The last body that was sent.
    func body() throws -> JSONValue { try JSONValue(json: Data((emulator.bodies.last ?? "").utf8)) }

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
    var request = ContentChatRequest.with { $0.messages = [turn(.user, text)] }
    edit(&request)
    return request
}

/// A message.
func turn(_ role: ContentRole, _ text: String, _ edit: (inout ContentChatMessage) -> Void = { _ in })
    -> ContentChatMessage
{
    var message = ContentChatMessage.with {
        $0.role = role
        $0.text = text
    }
    edit(&message)
    return message
}
