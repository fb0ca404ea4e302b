// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Jobs of videos: each question after one brings it a step on.
final class OpenAIVideos: Sendable {
    private struct Job {
        var model: String
        var seconds: String
        var size: String
        var step = 0
        var failure: String?
    }

    private let jobs = Mutex<[String: Job]>([:])

    func answer(_ request: EmulatorRequest, models: Set<String>) throws -> EmulatorAnswer {
        let path = request.path.dropFirst("/v1/videos".count).split(separator: "/").map(String.init)
        switch (request.method, path.count, path.last) {
        case ("POST", 0, _): return try create(request.body, models)
        case ("GET", 1, _): return try describe(path[0], steps: 1)
        case ("GET", 2, "content"):
            let job = try known(path[0])
            guard job.step >= 2, job.failure == nil else { throw OpenAIRefusal(400, "Video is not ready yet.") }
            return EmulatorAnswer(
                200, [("content-type", "video/mp4")],
                parts: [[0, 0, 0, 8] + Array("ftyp".utf8), Array(job.size.utf8)])
        case ("DELETE", 1, _):
            _ = try known(path[0])
            jobs.withLock { $0[path[0]] = nil }
            return try EmulatorAnswer.json(200, ["id": path[0], "object": "video.deleted", "deleted": true])
        default: throw OpenAIRefusal(404, "Invalid URL (\(request.method) \(request.path))")
        }
    }

    /// How many jobs there are.
    var count: Int { jobs.withLock { $0.count } }

    private func create(_ body: [UInt8], _ models: Set<String>) throws -> EmulatorAnswer {
        let fields = try OpenAIFields(
            body,
            [
                "model": .text, "prompt": .text, "seconds": .oneOf(["4", "8", "12"]),
                "size": .oneOf(["1280x720", "720x1280"]),
            ], required: ["prompt"])
        let model = try fields.model(of: models)
        let prompt = fields.text("prompt")
        guard !prompt.isEmpty else { throw OpenAIRefusal(400, "Invalid 'prompt'.", param: "prompt") }
        let seconds = fields.text("seconds"), size = fields.text("size")
        let id = jobs.withLock { jobs in
            let id = "video_\(jobs.count + 1)"
            jobs[id] = Job(
                model: model, seconds: seconds.isEmpty ? "4" : seconds, size: size.isEmpty ? "1280x720" : size,
                failure: prompt.contains("forbidden") ? "moderation_blocked" : nil)
            return id
        }
        return try describe(id, steps: 0)
    }

    private func describe(_ id: String, steps: Int) throws -> EmulatorAnswer {
        _ = try known(id)
        jobs.withLock { $0[id]?.step += steps }
        let job = try known(id)
        var object: [String: Any] = [
            "id": id, "object": "video", "created_at": 1_700_000_000, "model": job.model, "seconds": job.seconds,
            "size": job.size, "status": job.step == 0 ? "queued" : job.step == 1 ? "in_progress" : "completed",
            "progress": min(100, job.step * 50),
        ]
        if job.step >= 2 {
            object["expires_at"] = 1_700_003_600
            if let failure = job.failure {
                object["status"] = "failed"
                object["error"] = ["code": failure, "message": "Your request was blocked."]
            }
        }
        return try EmulatorAnswer.json(200, object)
    }

    private func known(_ id: String) throws(OpenAIRefusal) -> Job {
        guard let job = jobs.withLock({ $0[id] }) else {
            throw OpenAIRefusal(404, "Video with id '\(id)' not found.", param: "id")
        }
        return job
    }
}
