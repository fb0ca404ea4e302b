// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
internal import TheatreContracts
internal import TheatrePlugin

/// What a provider made, put together.
private struct MadePieces {
    var pieces: [(head: ContentMediaHead, data: Data)] = []
    var end = ContentMediaEnd()

    /// Reads a stream as its contract says it is, or fails the case.
    init(_ stream: MessageStream<ContentMediaPart>) async throws {
        var hasEnded = false
        for try await part in stream {
            try demand(!hasEnded, "Something follows the end.")
            switch part.part {
            case .head(let head):
                try demand(Int(head.index) == pieces.count, "Piece \(pieces.count) says it is \(head.index).")
                pieces.append((head, Data()))
            case .data(let data):
                try demand(!pieces.isEmpty, "Bytes come before the first head.")
                try demand(data.count <= 256 << 10, "A part has \(data.count) bytes.")
                pieces[pieces.count - 1].data.append(data)
            case .progress: break
            case .end(let last): (end, hasEnded) = (last, true)
            case nil: throw SuiteFailure("A part is empty.")
            }
        }
        try demand(hasEnded && !pieces.isEmpty, "The stream has no end, or nothing in it.")
        try demand(!end.model.isEmpty, "The end does not say which model made it.")
        for (head, data) in pieces {
            try demand(
                head.size == 0 || head.size == Int64(data.count), "\(head.size) bytes were said, \(data.count) came.")
            let magic = Self.magic[head.contentType] ?? []
            try demand(
                !data.isEmpty && data.starts(with: magic), "What came is no \(head.contentType): it begins otherwise.")
        }
    }

    private static let magic: [String: [UInt8]] = [
        "image/png": [0x89, 0x50, 0x4E, 0x47], "image/jpeg": [0xFF, 0xD8], "audio/wav": Array("RIFF".utf8),
        "image/webp": Array("RIFF".utf8), "video/x-msvideo": Array("RIFF".utf8), "audio/ogg": Array("OggS".utf8),
    ]
}

extension ContentSuite {
    /// Images, speech, transcription and video.
    static let media: [SuiteCase<ContentSubject>] = [
        SuiteCase("anImageIsAFileOfItsKindAndIsCounted") { subject in
            guard let image = subject.image else { return }
            let request = ContentImageRequest.with { $0.prompt = "州桥夜市，灯火。A lamp on the bridge." }
            let made = try await MadePieces(try await image.generate(request))
            try demand(made.end.usage.images == Int64(made.pieces.count), "The images are not those of the usage.")
            try demand(made.pieces.count == 1, "One image was asked for, \(made.pieces.count) came.")
        },
        SuiteCase("nothingToShowOrSayIsRefused") { subject in
            if let image = subject.image {
                let error = try await refusal("An image of nothing") {
                    for try await _ in try await image.generate(ContentImageRequest()) {}
                }
                try demand(error.code == .invalidArgument, "\(error.reason) is not INVALID_ARGUMENT.")
            }
            if let speech = subject.speech {
                let error = try await refusal("Speech without words") {
                    for try await _ in try await speech.speak(ContentSpeechRequest()) {}
                }
                try demand(error.code == .invalidArgument, "\(error.reason) is not INVALID_ARGUMENT.")
            }
        },
        SuiteCase("whatIsSpokenIsCountedAndUnderstood") { subject in
            guard let speech = subject.speech else { return }
            let text = "灯下。A lamp."
            let request = ContentSpeechRequest.with {
                $0.text = text
                $0.contentType = "audio/wav"
            }
            let made = try await MadePieces(try await speech.speak(request))
            try demand(made.pieces.count == 1, "Speech is one piece.")
            try demand(made.end.usage.characters == Int64(text.unicodeScalars.count), "The characters are not counted.")
            guard let ears = subject.transcription else { return }
            let heard = try await transcript(of: made.pieces[0].data, as: "audio/wav", by: ears)
            try demand(heard.text == text, "\"\(text)\" was heard as \"\(heard.text)\".")
            try demand(heard.end.usage.audioMs > 0 && !heard.end.model.isEmpty, "The end has no usage or no model.")
        },
        SuiteCase("aRecordingWithoutItsHeadIsRefused") { subject in
            guard let ears = subject.transcription else { return }
            let error = try await refusal("A recording without its head") {
                let call = try await ears.transcribe()
                try await call.send(.with { $0.data = Data("RIFF".utf8) })
                call.finish()
                for try await _ in call.responses {}
            }
            try demand(error.code == .invalidArgument, "\(error.reason) is not INVALID_ARGUMENT.")
        },
        SuiteCase("oneRequestIsOneVideo") { subject in
            guard let video = subject.video else { return }
            let request = ContentVideoRequest.with {
                $0.requestID = "req_1"
                $0.prompt = "A boat passes under the bridge."
            }
            let job = try await video.start(request)
            try demand(
                !job.jobID.isEmpty && job.state != .unspecified && !job.model.isEmpty, "The job says too little.")
            try demand(try await video.start(request).jobID == job.jobID, "Asked twice, there are two jobs.")
            try demand(try await video.find(.with { $0.requestID = "req_1" }).jobID == job.jobID, "It is not found.")
            let id = ContentVideoJobRequest.with { $0.jobID = job.jobID }
            let now = try await video.get(id)
            try demand(now.progress.percent <= 100 && now.jobID == job.jobID, "The job is another, or beyond its end.")
            if now.state != .ready {
                let error = try await refusal("Fetching what is not made") {
                    for try await _ in try await video.fetch(id) {}
                }
                try demand(error.reason == "content.not_ready", "\(error.reason) is not content.not_ready.")
            }
        },
        SuiteCase("aVideoThatNobodyAskedForIsNotThere") { subject in
            guard let video = subject.video else { return }
            let unknown = try await refusal("A request that was never made") {
                try await video.find(.with { $0.requestID = "req_never" })
            }
            let nowhere = try await refusal("A job that never was") {
                try await video.get(.with { $0.jobID = "vid_nowhere" })
            }
            for error in [unknown, nowhere] {
                try demand(
                    error.code == .notFound && error.reason == "content.no_job",
                    "\(error.reason) is not content.no_job.")
            }
        },
    ]

    /// What a provider understands of a recording.
    private static func transcript(
        of recording: Data, as type: String, by ears: ContentTranscriptionClient
    ) async throws -> (text: String, end: ContentTranscriptEnd) {
        let call = try await ears.transcribe()
        try await call.send(.with { $0.head.contentType = type })
        for start in stride(from: 0, to: recording.count, by: 16 << 10) {
            let part = recording.dropFirst(start).prefix(16 << 10)
            try await call.send(.with { $0.data = Data(part) })
        }
        call.finish()
        var (text, end, last) = ("", ContentTranscriptEnd?.none, Int64(0))
        for try await part in call.responses {
            switch part.part {
            case .segment(let segment):
                try demand(end == nil && segment.startMs >= last, "The segments are not in order.")
                (text, last) = (text + segment.text, segment.startMs)
            case .end(let found): end = found
            case nil: throw SuiteFailure("A part is empty.")
            }
        }
        guard let end else { throw SuiteFailure("The transcript has no end.") }
        return (text, end)
    }
}
