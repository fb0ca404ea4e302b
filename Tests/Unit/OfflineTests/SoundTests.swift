// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin

@testable import Offline

/// Speech and what is heard.
struct SoundTests {
    private static func file(_ text: String, speed: Double = 4) -> [UInt8] {
        let tones = Tones(text, speed: speed)
        return WAV.header(samples: tones.sampleCount) + (0..<tones.pieces).flatMap { tones.bytes(of: $0) }
    }

    @Test(arguments: [0.25, 0.9, 1, 1.3, 2.7, 4]) func whatIsSpokenIsHeard(speed: Double) throws {
        let text = "汴河上灯火。Lamps! 𠮷"
        let sound = try #require(WAV(Self.file(text, speed: speed)))
        #expect(sound.rate == 8000 && ToneReader(sound)?.text == text)
    }

    @Test func theDurationIsThatOfTheText() {
        #expect(Tones("abcd", speed: 1).milliseconds == 17 * 20)
        #expect(Tones("abcdefgh", speed: 1).milliseconds == 25 * 20)
        #expect(Tones("abcd", speed: 2).milliseconds == 170)
    }

    @Test func sinesAreSines() {
        let circle = Circle(steps: 12)
        let known = [0, 0.5, 0.866_025_403_784_438_6, 1, 0.866_025_403_784_438_6, 0.5, 0, -0.5]
        for (step, value) in known.enumerated() { #expect(abs(circle[step] - value) < 1e-12) }
    }

    @Test(arguments: ["silence", "noise", "cut", "disturbed", "other rate", "no file", "empty"])
    func whatIsNoneOfItsTonesIsNotUnderstood(_ what: String) async throws {
        var file = Self.file("lamp")
        switch what {
        case "silence": file = WAV.header(samples: 800) + [UInt8](repeating: 0, count: 1600)
        case "noise":
            for index in 200..<file.count {
                file[index] = UInt8(truncatingIfNeeded: StableHash.of([UInt8(index & 0xFF), UInt8(index >> 8)]))
            }
        case "cut": file.removeLast(80)
        case "disturbed": (file[300], file[301]) = (file[800], file[801])
        case "other rate": file[24] = 0x44
        case "no file": file = Array("OggS and so on".utf8)
        default: file = []
        }
        if what == "disturbed" {
            // One tone in another's place: the sum tells.
            let (first, second) = (44 + 80, 44 + 4 * 80)
            let tone = Array(file[first..<first + 80])
            file.replaceSubrange(first..<first + 80, with: file[second..<second + 80])
            file.replaceSubrange(second..<second + 80, with: tone)
        }
        let world = try await OfflineWorld()
        let sent = Data(file)
        let error = await #expect(throws: PluginError.self) {
            let call = try await world.transcription.transcribe()
            try await call.send(.with { $0.head.contentType = "audio/wav" })
            try await call.send(.with { $0.data = sent })
            call.finish()
            for try await _ in call.responses {}
        }
        #expect(error?.reason == "content.bad_sound" && error?.code == .invalidArgument)
    }

    @Test func segmentsAreSentencesWithTheirTimes() async throws {
        let world = try await OfflineWorld()
        let call = try await world.transcription.transcribe()
        try await call.send(.with { $0.head.contentType = "audio/wav" })
        try await call.send(.with { $0.data = Data(Self.file("灯灭了。人走了。", speed: 4)) })
        call.finish()
        var segments: [ContentTranscriptSegment] = []
        var end = ContentTranscriptEnd()
        for try await part in call.responses {
            if case .segment(let segment) = part.part { segments.append(segment) }
            if case .end(let found) = part.part { end = found }
        }
        #expect(segments.map(\.text) == ["灯灭了。", "人走了。"])
        // Twelve bytes each, two tones a byte, 5 ms a tone, after as much silence.
        #expect(segments.map(\.startMs) == [5, 125] && segments.map(\.endMs) == [125, 245])
        #expect(end.language == "zh" && end.usage.audioMs == 285)
    }
}
