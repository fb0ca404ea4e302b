// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

extension OpenAI {
    /// What a canary can be of.
    static let canaries: Set = [
        "theatre.content.v1.Chat", "theatre.content.v1.Embedding", "theatre.content.v1.Image",
        "theatre.content.v1.Moderation", "theatre.content.v1.Rerank", "theatre.content.v1.Speech",
        "theatre.content.v1.Transcription", "theatre.content.v1.Video",
    ]

    /// The smallest call of a capability other than chat and embedding.
    ///
    /// - Parameter named: the model; nil for the configuration's.
    func probeOther(_ capability: String, _ named: String?, _ run: inout ProbeRun, _ call: Call) async throws {
        switch capability {
        case "theatre.content.v1.Image":
            let request = ContentImageRequest.with { $0.prompt = "a lamp" }
            let fetch = try image(request, by: named ?? configuration.imageModel)
            let made = try ImageAnswer(try await run.timed { try await server.collect(fetch, call) }.body)
            run.response.usage = made.usage(request)
            run.found("\(made.images.count) images came")
        case "theatre.content.v1.Moderation":
            let request = ContentClassifyRequest.with { $0.texts = ["ready"] },
                model = named ?? configuration.moderationModel
            let fetch = try moderation(request, by: model)
            let answer = try read(try await run.timed { try await server.fetch(fetch, call) }, request, by: model)
            run.response.usage = answer.usage
            run.found("\(answer.model) told \(answer.items.first?.categories.count ?? 0) categories apart")
        case "theatre.content.v1.Rerank":
            let request = ContentRankRequest.with { ($0.query, $0.documents) = ("lamp", ["a boat", "a lamp"]) }
            let model = named ?? configuration.rerankModel
            let fetch = try ranking(request, by: model)
            let answer = try read(try await run.timed { try await server.fetch(fetch, call) }, request, by: model)
            run.response.usage = answer.usage
            run.found("\(answer.model) put document \(answer.items.first?.index ?? 0) of 2 first")
        case "theatre.content.v1.Speech":
            let request = ContentSpeechRequest.with { $0.text = "ready" }
            let fetch = try speech(request, by: named ?? configuration.speechModel)
            let answer = try await run.timed { try await server.collect(fetch, call) }
            run.response.usage.characters = 5
            run.found("\(answer.body.count) bytes of sound came")
        case "theatre.content.v1.Transcription":
            let head = ContentRecordingHead.with { $0.contentType = "audio/wav" }
            let fetch = try transcription(head, Self.silence, by: named ?? configuration.transcriptionModel)
            let answer = try TranscriptAnswer(try await run.timed { try await server.fetch(fetch, call) }.body)
            run.response.usage = answer.usage
            run.found("\(answer.segments.count) segments were heard in silence")
        default:
            let fetch = try video(.with { $0.prompt = "a lamp" }, by: named ?? configuration.videoModel)
            let job = try VideoAnswer.job(try await run.timed { try await server.fetch(fetch, call) })
            run.found("the job \(job.jobID) was taken")
            run.response.usage = job.usage
            _ = try await cancel(.with { $0.jobID = job.jobID }, call)
        }
    }

    /// A tenth of a second without a sound, as a WAVE file of 8 kHz.
    private static let silence: Data = {
        var file = Data("RIFF".utf8)
        func add(_ value: UInt32, _ count: Int) {
            for index in 0..<count { file.append(UInt8(truncatingIfNeeded: value >> (8 * UInt32(index)))) }
        }
        add(36 + 1600, 4)
        file.append(contentsOf: "WAVEfmt ".utf8)
        for (value, count) in [(16, 4), (1, 2), (1, 2), (8000, 4), (16_000, 4), (2, 2), (16, 2)] {
            add(UInt32(value), count)
        }
        file.append(contentsOf: "data".utf8)
        add(1600, 4)
        return file + Data(count: 1600)
    }()
}
