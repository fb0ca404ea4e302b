// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

extension OpenAI {
    func probe(_ request: ContentProbeRequest, _ call: Call) async throws -> ContentProbeResponse {
        let parameters = try CallParameters(call)
        return try await ProbeRun.run(request, of: Self.canaries, call, limits: .openAI) { run in
            switch request.tier {
            case .free: try await probeFree(request.model.isEmpty ? parameters.model : request.model, &run, call)
            case .canary where request.capability == "theatre.content.v1.Embedding":
                try await probeEmbedding(request.model.isEmpty ? parameters.model : request.model, &run, call)
            case .canary where request.capability == "theatre.content.v1.Chat":
                try await probeChat(request.model, parameters, &run, call)
            case .canary:
                let model = request.model.isEmpty ? parameters.model : request.model
                try await probeOther(request.capability, model, &run, call)
            default: run.found("base_url \(configuration.baseURL)")
            }
        }
    }

    func listModels(_ request: ContentListModelsRequest, _ call: Call) async throws -> ContentListModelsResponse {
        let models = try Self.models(try await Self.lister.fetch(get("models"), call))
        return .with { $0.items = models.map { name in .with { $0.name = name } } }
    }

    /// A server that has no such path has no list.
    private static let lister = ModelServer { answer, hint in
        [404, 405, 501].contains(answer.status) ? ContentError.noList : ServerRefusal(answer, hint).error
    }

    private static func models(_ answer: HostFetchResponse) throws -> [String] {
        guard let list = JSONText.object(String(decoding: answer.body, as: UTF8.self))?["data"]?.array else {
            throw ContentError.badAnswer("it is no list of models")
        }
        return Set(list.compactMap { $0["id"]?.string }).sorted()
    }

    /// The key, and that the model is there.
    private func probeFree(_ model: String?, _ run: inout ProbeRun, _ call: Call) async throws {
        let models: [String]
        do {
            models = try Self.models(try await run.timed { try await Self.lister.fetch(get("models"), call) })
        } catch let error as PluginError where error == ContentError.noList {
            return run.found("the server answers and lists no models")
        }
        run.found("\(models.count) models are listed")
        let wanted = model ?? configuration.model
        guard models.contains(wanted) else { throw ContentError.modelUnknown("\(wanted) is not listed.") }
        run.found("the model \(wanted) is listed")
    }

    private func probeChat(
        _ model: String, _ parameters: CallParameters, _ run: inout ProbeRun, _ call: Call
    ) async throws {
        let request = ContentChatRequest.canary(model)
        let body = try ChatBody(request, parameters, configuration)
        let fetch = post("chat/completions", try body.json(streamed: false))
        let answer = try await run.timed { try await server.fetch(fetch, call) }
        let response = try read(answer, request)
        run.response.usage = response.usage
        run.found("\(response.model) answered with \(response.text.count) characters")
    }

    private func probeEmbedding(_ model: String?, _ run: inout ProbeRun, _ call: Call) async throws {
        let texts = ["ready"], model = model ?? configuration.embeddingModel
        let fetch = try embedding(of: texts, by: model, dimensions: 0)
        let answer = try await run.timed { try await server.fetch(fetch, call) }
        let response = try read(answer, of: texts, by: model)
        run.response.usage = response.usage
        let length = response.vectors.first?.values.count ?? 0
        run.found("\(response.model) gave a vector of \(length) numbers")
        run.response.attributes = #"{"dimensions":\#(length)}"#
    }
}
