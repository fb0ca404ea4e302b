// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

extension Anthropic {
    func probe(_ request: ContentProbeRequest, _ call: Call) async throws -> ContentProbeResponse {
        let parameters = try CallParameters(call)
        return try await ProbeRun.run(request, of: ["theatre.content.v1.Chat"], call, limits: .anthropic) { run in
            switch request.tier {
            case .free: try await probeFree(request.model.isEmpty ? parameters.model : request.model, &run, call)
            case .canary: try await probeChat(request.model, parameters, &run, call)
            default: run.found("base_url \(configuration.baseURL), version \(configuration.version)")
            }
        }
    }

    func listModels(_ request: ContentListModelsRequest, _ call: Call) async throws -> ContentListModelsResponse {
        let models = try await models { try await server.fetch($0, call) }
        return .with { $0.items = models.map { name in .with { $0.name = name } } }
    }

    /// Most pages of a list; no server has as many models.
    private static let mostPages = 20

    /// The names of all models, sorted.
    private func models(_ fetch: (HostFetchRequest) async throws -> HostFetchResponse) async throws -> [String] {
        var names: Set<String> = []
        var path = "models?limit=1000"
        for _ in 0..<Self.mostPages {
            let answer = try await fetch(get(path))
            let page = JSONText.object(String(decoding: answer.body, as: UTF8.self))
            guard let data = page?["data"]?.array else { throw ContentError.badAnswer("it is no list of models") }
            names.formUnion(data.compactMap { $0["id"]?.string })
            guard page?["has_more"]?.bool == true, let last = page?["last_id"]?.string, !last.isEmpty else { break }
            path = "models?limit=1000&after_id=\(Self.encoded(last))"
        }
        return names.sorted()
    }

    /// The key, and that the model is there; a name that stands for the newest of its kind is in no list.
    private func probeFree(_ model: String?, _ run: inout ProbeRun, _ call: Call) async throws {
        let names = try await models { fetch in try await run.timed { try await server.fetch(fetch, call) } }
        run.found("\(names.count) models are listed")
        let wanted = model ?? configuration.model
        if !names.contains(wanted) {
            let fetch = get("models/\(Self.encoded(wanted))")
            _ = try await run.timed { try await server.fetch(fetch, call) }
        }
        run.found("the model \(wanted) is there")
    }

    private func probeChat(
        _ model: String, _ parameters: CallParameters, _ run: inout ProbeRun, _ call: Call
    ) async throws {
        let request = ContentChatRequest.canary(model)
        let body = try MessagesBody(request, parameters, configuration)
        let fetch = post("messages", try body.json(streamed: false))
        let answer = try await run.timed { try await server.fetch(fetch, call) }
        let response = try Self.read(answer, request, body)
        run.response.usage = response.usage
        run.found("\(response.model) answered with \(response.text.count) characters")
    }

    /// Percent-encoded for a path or a query.
    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain =
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "-._~".utf8.contains(byte)
            if isPlain { return String(UnicodeScalar(byte)) }
            let hex = String(byte, radix: 16, uppercase: true)
            return hex.count == 1 ? "%0\(hex)" : "%\(hex)"
        }.joined()
    }
}
