// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import EmulatedHost
import Foundation
import FoundationNetworking
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreManifest
import TheatrePlugin
import TheatrePluginTesting

@testable import OpenAI

/// Where a real model answers; nil where none does.
private enum RealModel {
    static let url = ProcessInfo.processInfo.environment["THEATRE_REAL_MODEL"]
}

/// The plugin before a real model: `make real-model` serves a small one and says where.
@Suite(.serialized, .enabled(if: RealModel.url != nil)) struct RealModelTests {
    private func chat() async throws -> ContentChatClient {
        let host = TestHost()
        host.serve("theatre.host.v1.Egress/Fetch") { (request: HostFetchRequest, _) -> HostFetchResponse in
            try await Self.fetched(request)
        }
        host.serveStreaming("theatre.host.v1.Egress/FetchStream") {
            (request: HostFetchRequest, _, output: MessageSink<HostFetchPart>) in
            var answer = try await Self.fetched(request)
            let body = answer.body
            answer.body = Data()
            try await output.send(.with { $0.head = answer })
            for start in stride(from: 0, to: body.count, by: 100) {
                try await output.send(.with { $0.data = Data(body.dropFirst(start).prefix(100)) })
            }
        }
        let configuration = """
            {"base_url": "\(RealModel.url ?? "")/v1", "authorization": "none", "max_tokens_field": "max_tokens",
             "model": "small", "timeout_ms": 600000}
            """
        try await host.install(
            OpenAI.self, manifest: .plugin("Content/OpenAI"), instance: "openai", configuration: configuration)
        host.route("chat", to: "openai", capability: "theatre.content.v1.Chat")
        return ContentChatClient(host.scope(principal: "usr_1"), feature: "chat")
    }

    private static func fetched(_ request: HostFetchRequest) async throws -> HostFetchResponse {
        guard let url = URL(string: request.url) else {
            throw PluginError(.permissionDenied, "egress.refused", "No URL.")
        }
        var asked = URLRequest(url: url, timeoutInterval: 600)
        asked.httpMethod = request.method
        asked.httpBody = request.body
        for header in request.headers { asked.setValue(header.value, forHTTPHeaderField: header.name) }
        let (data, answer) = try await URLSession.shared.data(for: asked)
        return .with {
            $0.status = UInt32((answer as? HTTPURLResponse)?.statusCode ?? 0)
            $0.body = data
        }
    }

    @Test func itAnswers() async throws {
        let answer = try await chat().complete(asking("What is the capital of France?") { $0.maxTokens = 24 })
        #expect(!answer.text.isEmpty && answer.usage.inputTokens > 0 && !answer.usage.estimated)
        #expect(answer.usage.outputTokens <= 24)
    }

    @Test func itStreams() async throws {
        var parts: [ContentChatPart] = []
        let request = asking("Count from one to five.") { $0.maxTokens = 24 }
        for try await part in try await chat().stream(request) { parts.append(part) }
        #expect(parts.count > 2 && parts.last?.finishReason != .unspecified)
        #expect(parts.last?.usage.outputTokens ?? 0 > 0 && parts.last?.usage.estimated == false)
    }

    @Test func itHoldsToASchema() async throws {
        let schema = #"{"type": "object", "properties": {"lamps": {"type": "integer"}}, "required": ["lamps"]}"#
        let request = asking("There are three lamps. How many lamps? Answer in JSON.") {
            ($0.responseSchema, $0.maxTokens) = (schema, 64)
        }
        let answer = try await chat().complete(request)
        #expect(try JSONValue(json: Data(answer.text.utf8))["lamps"]?.integer != nil)
    }
}
