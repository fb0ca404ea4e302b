// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension Offline {
    /// As it names itself.
    static let speechModel = "offline-tones-1"
    /// Longest text.
    static let mostSpoken = 4000

    func speak(_ request: ContentSpeechRequest, _ call: Call, _ output: MessageSink<ContentMediaPart>) async throws {
        let characters = request.text.unicodeScalars.count
        guard characters > 0 else { throw OfflineError.emptyText("/text") }
        guard characters <= Self.mostSpoken else { throw OfflineError.tooMany("/text", "characters", Self.mostSpoken) }
        guard ["", "tones"].contains(request.voice) else {
            throw OfflineError.unsupported("/voice", "its only voice is tones")
        }
        guard ["", "audio/wav"].contains(request.contentType) else {
            throw OfflineError.unsupported("/content_type", "it makes audio/wav")
        }
        guard request.speed == 0 || (0.25...4).contains(request.speed) else {
            throw OfflineError.unsupported("/speed", "it speaks at 0.25 to 4 times the speed of people")
        }
        let tones = Tones(request.text, speed: request.speed == 0 ? 1 : request.speed)
        let sender = MediaSender(output: output)
        try await sender.head {
            $0.contentType = "audio/wav"
            $0.size = Int64(44 + tones.sampleCount * 2)
            $0.durationMs = tones.milliseconds
        }
        var bytes = WAV.header(samples: tones.sampleCount)
        for piece in 0..<tones.pieces {
            bytes += tones.bytes(of: piece)
            guard bytes.count >= MediaSender.mostBytes || piece + 1 == tones.pieces else { continue }
            try await sender.data(bytes)
            bytes = []
        }
        let usage = ContentUsage.with {
            $0.characters = Int64(characters)
            $0.audioMs = tones.milliseconds
        }
        try await sender.end(Self.speechModel, usage)
    }
}
