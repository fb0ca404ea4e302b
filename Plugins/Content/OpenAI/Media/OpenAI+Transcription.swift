// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

extension OpenAI {
    /// Largest recording: it goes to the host in one message.
    static let mostRecorded = 960 << 10

    func transcribe(
        _ input: MessageStream<ContentRecordingPart>, _ call: Call, _ output: MessageSink<ContentTranscriptPart>
    ) async throws {
        let (head, sound) = try await recording(input)
        let model = try head.model.isEmpty ? CallParameters(call).model ?? configuration.transcriptionModel : head.model
        let answer = try TranscriptAnswer(try await server.fetch(try transcription(head, sound, by: model), call).body)
        for segment in answer.segments { try await output.send(.with { $0.segment = segment }) }
        let end = ContentTranscriptEnd.with {
            $0.language = answer.language.isEmpty ? head.language : answer.language
            $0.model = model
            $0.usage = answer.usage
        }
        try await output.send(.with { $0.end = end })
    }

    /// All of a recording.
    private func recording(
        _ input: MessageStream<ContentRecordingPart>
    ) async throws -> (ContentRecordingHead, Data) {
        var head: ContentRecordingHead?
        var sound = Data()
        for try await part in input {
            switch part.part {
            case .head(let found) where head == nil: head = found
            case .data(let data) where head != nil:
                sound.append(data)
                guard sound.count <= Self.mostRecorded else {
                    throw ContentError.badSound("it has more than 960 KiB; send it in parts, or as MP3 or Ogg")
                }
            default: throw ContentError.badSound("its head comes first, and once")
            }
        }
        guard let head, !sound.isEmpty else { throw ContentError.badSound("there is nothing in it") }
        return (head, sound)
    }

    /// A request for a transcript.
    func transcription(_ head: ContentRecordingHead, _ sound: Data, by model: String) throws -> HostFetchRequest {
        guard let ending = Self.recordings[head.contentType] else {
            throw ContentError.unsupported("/head/content_type", "send audio/wav, audio/mpeg, audio/ogg or audio/mp4")
        }
        guard ["", "en"].contains(head.translateTo) else {
            throw ContentError.unsupported("/head/translate_to", "the API translates into English only")
        }
        let isTranslated = head.translateTo == "en"
        var fields = [("model", model), ("response_format", configuration.transcriptFormat)]
        let language = String(head.language.prefix { $0 != "-" })
        if !language.isEmpty, !isTranslated { fields.append(("language", language)) }
        if !head.hint.isEmpty { fields.append(("prompt", head.hint)) }
        let form = MultipartForm(
            fields.map { (name: $0.0, value: $0.1) }, file: sound, named: "sound.\(ending)",
            contentType: head.contentType)
        var request = get(isTranslated ? "audio/translations" : "audio/transcriptions")
        request.method = "POST"
        request.addHeaders([("content-type", form.contentType)])
        request.body = form.body
        return request
    }

    /// How names of files end; servers go by it.
    private static let recordings = [
        "audio/wav": "wav", "audio/mpeg": "mp3", "audio/ogg": "ogg", "audio/mp4": "m4a",
    ]
}

/// An answer of `audio/transcriptions`, with segments or without.
struct TranscriptAnswer: Sendable {
    let segments: [ContentTranscriptSegment]
    /// BCP 47; empty where the server does not say.
    let language: String
    let usage: ContentUsage

    init(_ body: Data) throws {
        guard let value = JSONText.object(String(decoding: body, as: UTF8.self)), let text = value["text"]?.string
        else {
            throw ContentError.badAnswer("it is no transcript")
        }
        let found = value["segments"]?.array ?? []
        let duration = value["duration"]?.seconds ?? value["usage"]?["seconds"]?.seconds ?? 0
        segments =
            found.isEmpty
            ? [.with { ($0.text, $0.endMs) = (text, duration) }].filter { !$0.text.isEmpty }
            : found.map { segment in
                .with {
                    $0.text = segment["text"]?.string ?? ""
                    $0.startMs = segment["start"]?.seconds ?? 0
                    $0.endMs = segment["end"]?.seconds ?? 0
                }
            }
        let name = (value["language"]?.string ?? "").lowercased()
        language = Self.languages[name] ?? (name.utf8.count <= 3 ? name : "")
        let tokens = value["usage"]?["input_tokens"]?.integer
        usage = .with {
            $0.audioMs = duration
            $0.inputTokens = max(0, tokens ?? 0)
            $0.outputTokens = max(0, value["usage"]?["output_tokens"]?.integer ?? TokenEstimate.tokens(text))
            $0.estimated = tokens == nil
        }
    }

    /// Some servers write names.
    private static let languages = [
        "english": "en", "chinese": "zh", "japanese": "ja", "korean": "ko", "french": "fr", "german": "de",
        "spanish": "es", "russian": "ru", "arabic": "ar", "portuguese": "pt", "italian": "it",
    ]
}

extension JSONValue {
    /// A number of seconds, or a text of one, in milliseconds; nil for what is no time.
    fileprivate var seconds: Int64? {
        let value = real ?? string.flatMap(Double.init)
        guard let value, value >= 0, value < 1e9 else { return nil }
        return Int64((value * 1000).rounded())
    }
}
