// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

extension OpenAI {
    func start(_ request: ContentVideoRequest, _ call: Call) async throws -> ContentVideoJob {
        guard !request.requestID.isEmpty else { throw ContentError.empty("/request_id") }
        let model = try request.model.isEmpty ? CallParameters(call).model ?? configuration.videoModel : request.model
        let fetch = try video(request, by: model), key = Self.key(request.requestID, call)
        switch videos.begin(key) {
        case .job(let id): return try await get(.with { $0.jobID = id }, call)
        case .underWay: throw ContentError.unavailable("The same request is under way; ask for its job soon.")
        case .nothing: break
        }
        do {
            let job = try VideoAnswer.job(try await server.fetch(fetch, call))
            videos.end(key, job.jobID)
            return job
        } catch {
            videos.end(key, nil)
            throw Self.uncertain(error)
        }
    }

    func find(_ request: ContentFindVideoRequest, _ call: Call) async throws -> ContentVideoJob {
        guard let id = videos.job(Self.key(request.requestID, call)) else { throw ContentError.noJob }
        return try await get(.with { $0.jobID = id }, call)
    }

    func get(_ request: ContentVideoJobRequest, _ call: Call) async throws -> ContentVideoJob {
        try VideoAnswer.job(try await Self.jobs.fetch(get(try Self.path(request)), call))
    }

    func cancel(_ request: ContentVideoJobRequest, _ call: Call) async throws -> ContentVideoJob {
        var job = try await get(request, call)
        guard [.queued, .running].contains(job.state) else { return job }
        var delete = get(try Self.path(request))
        delete.method = "DELETE"
        do { _ = try await Self.jobs.fetch(delete, call) } catch { throw Self.uncertain(error) }
        job.state = .cancelled
        return job
    }

    func fetch(
        _ request: ContentVideoJobRequest, _ call: Call, _ output: MessageSink<ContentMediaPart>
    ) async throws {
        let job = try await get(request, call)
        guard job.state == .ready else { throw ContentError.notReady }
        let parts = MediaParts(output)
        for try await part in Self.jobs.receive(get("\(try Self.path(request))/content"), call) {
            switch part {
            case .head(let head):
                let values = Dictionary(head.headers.map { ($0.name, $0.value) }) { first, _ in first }
                try await parts.head(
                    .with {
                        $0.contentType = String((values["content-type"] ?? "video/mp4").prefix { $0 != ";" })
                        $0.size = values["content-length"].flatMap { Int64($0) } ?? 0
                        $0.durationMs = job.usage.videoMs
                    })
            case .data(let data): try await parts.data(data)
            }
        }
        try await parts.end(job.model, job.usage)
    }

    /// A request for a video.
    func video(_ request: ContentVideoRequest, by model: String) throws -> HostFetchRequest {
        guard !request.prompt.isEmpty else { throw ContentError.empty("/prompt") }
        guard request.references.isEmpty else {
            throw ContentError.unsupported("/references", "images to begin with are not sent")
        }
        guard !request.hasSeed else { throw ContentError.unsupported("/seed", "the API has no field for a seed") }
        guard (request.width == 0) == (request.height == 0) else {
            throw ContentError.unsupported("/width", "name both sides, or none")
        }
        var body: [String: JSONValue] = ["model": .string(model), "prompt": .string(request.prompt)]
        if request.width > 0 { body["size"] = .string("\(request.width)x\(request.height)") }
        // Whole seconds, as a text.
        if request.durationMs > 0 { body["seconds"] = .string("\((UInt64(request.durationMs) + 999) / 1000)") }
        return post("videos", try JSONValue.object(body).json())
    }

    /// A server that does not know a job.
    private static let jobs = ModelServer { answer, hint in
        answer.status == 404 ? ContentError.noJob : ServerRefusal(answer, hint).error
    }

    private static func path(_ request: ContentVideoJobRequest) throws -> String {
        guard VideoAnswer.isID(request.jobID) else { throw ContentError.noJob }
        return "videos/\(request.jobID)"
    }

    /// Where no answer came, or none that can be read, the server may have done what it was asked.
    private static func uncertain(_ error: any Error) -> any Error {
        guard var error = error as? PluginError else { return error }
        if [.unavailable, .deadlineExceeded, .dataLoss, .cancelled].contains(error.code) { error.effect = .unknown }
        return error
    }

    private static func key(_ request: String, _ call: Call) -> String { "\(call.context.tenant)\u{0}\(request)" }
}
