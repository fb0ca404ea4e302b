// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension Offline {
    /// Largest recording.
    static let mostRecorded = 32 << 20

    func transcribe(
        _ input: MessageStream<ContentRecordingPart>, _ call: Call, _ output: MessageSink<ContentTranscriptPart>
    ) async throws {
        let (head, bytes) = try await recording(input)
        guard ["", "audio/wav", "audio/x-wav", "audio/wave"].contains(head.contentType) else {
            throw OfflineError.unsupported("/head/content_type", "it hears audio/wav")
        }
        guard head.translateTo.isEmpty else {
            throw OfflineError.unsupported("/head/translate_to", "it writes as it is said")
        }
        guard let sound = WAV(bytes) else {
            throw OfflineError.badSound("it is no WAVE file of one channel in 16 bits")
        }
        guard let heard = ToneReader(sound) else {
            throw OfflineError.badSound(
                "nothing but the offline model's own tones, whole and undisturbed, is understood")
        }
        let source = SourceText(heard.text)
        var end = 0, said = 0
        let scalars = heard.text.unicodeScalars.map { Unicode.UTF8.width($0) }
        // The sentences with what stands between them, so that nothing that was said is left out.
        var ends = source.sentences.map(\.range.upperBound).filter { $0 < scalars.count }
        ends.append(scalars.count)
        for next in ends where next > end {
            let text = String(scalarValues: heard.text.scalarValues[end..<next])
            let bytes = scalars[end..<next].reduce(0, +)
            let (start, stop) = (heard.milliseconds(after: said), heard.milliseconds(after: said + bytes))
            try await output.send(
                .with { part in
                    part.segment = .with { ($0.text, $0.startMs, $0.endMs) = (text, start, stop) }
                })
            (end, said) = (next, said + bytes)
        }
        let usage = ContentUsage.with { $0.audioMs = Int64(sound.samples.count * 1000 / WAV.rate) }
        try await output.send(
            .with { part in
                part.end = .with {
                    $0.language = source.isChinese ? "zh" : "en"
                    $0.usage = usage
                    $0.model = Self.speechModel
                }
            })
    }

    /// All of a recording.
    private func recording(
        _ input: MessageStream<ContentRecordingPart>
    ) async throws -> (ContentRecordingHead, [UInt8]) {
        var head: ContentRecordingHead?
        var bytes: [UInt8] = []
        for try await part in input {
            switch part.part {
            case .head(let found) where head == nil: head = found
            case .data(let data) where head != nil:
                bytes += data
                guard bytes.count <= Self.mostRecorded else {
                    throw OfflineError.tooMany("/data", "bytes", Self.mostRecorded)
                }
            default: throw OfflineError.badSound("its head comes first, and once")
            }
        }
        guard let head else { throw OfflineError.badSound("its head comes first, and once") }
        return (head, bytes)
    }
}
