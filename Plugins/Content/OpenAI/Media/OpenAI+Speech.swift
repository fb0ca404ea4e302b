// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

extension OpenAI {
    func speak(_ request: ContentSpeechRequest, _ call: Call, _ output: MessageSink<ContentMediaPart>) async throws {
        let model = try request.model.isEmpty ? CallParameters(call).model ?? configuration.speechModel : request.model
        let parts = MediaParts(output)
        var begin = Data()
        var bytes: Int64 = 0
        for try await part in server.receive(try speech(request, by: model), call) {
            switch part {
            case .head(let head):
                try await parts.head(
                    .with {
                        $0.contentType = request.contentType.isEmpty ? "audio/mpeg" : request.contentType
                        $0.size = head.headers.first { $0.name == "content-length" }.flatMap { Int64($0.value) } ?? 0
                    })
            case .data(let data):
                if begin.count < 44 { begin.append(data.prefix(44 - begin.count)) }
                bytes += Int64(data.count)
                try await parts.data(data)
            }
        }
        guard bytes > 0 else { throw ContentError.badAnswer("it is no sound") }
        let usage = ContentUsage.with {
            $0.characters = Int64(request.text.unicodeScalars.count)
            $0.audioMs = Self.milliseconds(ofWAV: Array(begin), bytes)
            $0.inputTokens = TokenEstimate.tokens(request.text)
            $0.estimated = true
        }
        try await parts.end(model, usage)
    }

    /// A request for speech.
    func speech(_ request: ContentSpeechRequest, by model: String) throws -> HostFetchRequest {
        guard !request.text.isEmpty else { throw ContentError.empty("/text") }
        guard let format = Self.soundFormats[request.contentType] else {
            throw ContentError.unsupported("/content_type", "speech is MP3, WAV or Ogg Opus")
        }
        guard request.speed == 0 || (0.25...4).contains(request.speed) else {
            throw ContentError.unsupported("/speed", "the API speaks at 0.25 to 4 times the speed of people")
        }
        var body: [String: JSONValue] = [
            "model": .string(model), "input": .string(request.text), "response_format": .string(format),
            "voice": .string(request.voice.isEmpty ? configuration.voice : request.voice),
        ]
        if request.speed > 0 { body["speed"] = .number(request.speed) }
        if !request.instructions.isEmpty { body["instructions"] = .string(request.instructions) }
        return post("audio/speech", try JSONValue.object(body).json())
    }

    private static let soundFormats = ["": "mp3", "audio/mpeg": "mp3", "audio/wav": "wav", "audio/ogg": "opus"]

    /// How long the sound of a WAVE file is, by its header; 0 for other kinds.
    static func milliseconds(ofWAV begin: [UInt8], _ bytes: Int64) -> Int64 {
        guard begin.count == 44, begin.starts(with: "RIFF".utf8), begin[8..<12].elementsEqual("WAVE".utf8) else {
            return 0
        }
        let rate = begin[28..<32].reversed().reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return rate > 0 ? max(0, bytes - 44) * 1000 / rate : 0
    }
}
