// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension Offline {
    /// As it names itself.
    static let videoModel = "offline-landscape-video-1"
    /// Longest video.
    static let mostVideo: UInt32 = 10_000
    /// Most pixels of a frame.
    static let mostFramePixels = 230_400
    /// Frames of a second.
    static let frameRate = 8

    func start(_ request: ContentVideoRequest, _ call: Call) async throws -> ContentVideoJob {
        guard !request.requestID.isEmpty else { throw OfflineError.emptyText("/request_id") }
        guard !request.prompt.isEmpty else { throw OfflineError.emptyText("/prompt") }
        guard request.references.isEmpty else {
            throw OfflineError.unsupported("/references", "it cannot be shown images")
        }
        let milliseconds = request.durationMs == 0 ? 2000 : request.durationMs
        guard (125...Self.mostVideo).contains(milliseconds) else {
            throw OfflineError.unsupported("/duration_ms", "a video lasts 125 to \(Self.mostVideo) ms")
        }
        let size = try PictureSize(request.width, request.height, most: Self.mostFramePixels, or: (320, 180))
        let now = host.now
        let id = jobs.start(Self.key(request.requestID, call), now: now) {
            VideoJobID(
                createdAt: now, seed: PictureSize.seed(request.prompt, request.hasSeed ? request.seed : 0),
                milliseconds: milliseconds, width: UInt16(size.width), height: UInt16(size.height))
        }
        return job(id)
    }

    func find(_ request: ContentFindVideoRequest, _ call: Call) async throws -> ContentVideoJob {
        guard let id = jobs.find(Self.key(request.requestID, call), now: host.now) else { throw OfflineError.noJob }
        return job(id)
    }

    func get(_ request: ContentVideoJobRequest, _ call: Call) async throws -> ContentVideoJob {
        job(try known(request.jobID))
    }

    func cancel(_ request: ContentVideoJobRequest, _ call: Call) async throws -> ContentVideoJob {
        let id = try known(request.jobID)
        if job(id).state != .ready { jobs.cancel(id, now: host.now) }
        return job(id)
    }

    func fetch(
        _ request: ContentVideoJobRequest, _ call: Call, _ output: MessageSink<ContentMediaPart>
    ) async throws {
        let id = try known(request.jobID), found = job(id)
        guard found.state == .ready else { throw OfflineError.notReady }
        let landscape = Landscape(seed: id.seed)
        let frames = max(1, Int(id.milliseconds) * Self.frameRate / 1000)
        let file = AVI(
            width: Int(id.width), height: Int(id.height), frames: frames, rate: Self.frameRate,
            palette: landscape.palette)
        let sender = MediaSender(output: output)
        try await sender.head {
            $0.contentType = "video/x-msvideo"
            $0.size = Int64(file.size)
            ($0.width, $0.height) = (UInt32(id.width), UInt32(id.height))
            $0.durationMs = Int64(frames * 1000 / Self.frameRate)
        }
        try await sender.data(file.header)
        for frame in 0..<frames {
            let pixels = landscape.pixels(
                width: file.width, height: file.height, moment: Double(frame) / Double(frames))
            try await sender.data(file.frame(pixels))
        }
        try await sender.data(file.index)
        try await sender.end(Self.videoModel, found.usage)
    }

    private func known(_ text: String) throws -> VideoJobID {
        guard let id = VideoJobID(text), id.createdAt + VideoJobs.life > host.now,
            (125...Self.mostVideo).contains(id.milliseconds),
            Int(id.width) * Int(id.height) <= Self.mostFramePixels, id.width >= 16, id.height >= 16
        else { throw OfflineError.noJob }
        return id
    }

    private func job(_ id: VideoJobID) -> ContentVideoJob {
        let progress = VideoProgress(id, now: host.now, cancelledAt: jobs.cancelled(id))
        return .with {
            $0.jobID = id.text
            $0.state = progress.state
            $0.progress.percent = progress.percent
            $0.progress.step = progress.step
            if progress.state == .ready { $0.usage.videoMs = Int64(id.milliseconds) }
            $0.model = Self.videoModel
            $0.expiresAt = id.createdAt + VideoJobs.life
        }
    }

    private static func key(_ request: String, _ call: Call) -> String { "\(call.context.tenant)\u{0}\(request)" }
}
