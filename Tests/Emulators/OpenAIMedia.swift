// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Images and speech.
enum OpenAIMedia {
    /// One pixel, one colour.
    private static let pixel =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

    /// Models named gpt-image take `output_format`, all others `response_format`: as the real ones do.
    static func images(_ body: [UInt8], models: Set<String>) throws -> EmulatorAnswer {
        let isNew = OpenAIFields.isNew(body)
        var kinds: [String: OpenAIFields.Kind] = [
            "model": .text, "prompt": .text, "n": .integer, "size": .text, "user": .text,
            "quality": .text,
        ]
        if isNew {
            kinds["output_format"] = .oneOf(["png", "jpeg", "webp"])
        } else {
            kinds["response_format"] = .oneOf(["url", "b64_json"])
        }
        let fields = try OpenAIFields(body, kinds, required: ["model", "prompt"])
        let model = try fields.model(of: models)
        guard !fields.text("prompt").isEmpty, (1...10).contains(fields.integer("n") ?? 1) else {
            throw OpenAIRefusal(400, "Invalid 'prompt' or 'n'.", param: "prompt")
        }
        let size = fields.text("size")
        guard size.isEmpty || ["1024x1024", "1536x1024", "1024x1536"].contains(size) else {
            throw OpenAIRefusal(400, "Invalid value: '\(size)'.", param: "size", code: "invalid_value")
        }
        let jpeg = Data([0xFF, 0xD8, 0xFF, 0xD9]).base64EncodedString()
        let image = fields.text("output_format") == "jpeg" ? jpeg : pixel
        let items = (0..<(fields.integer("n") ?? 1)).map { _ in
            isNew || fields.text("response_format") == "b64_json"
                ? ["b64_json": image, "revised_prompt": "\(fields.text("prompt")), in ink"]
                : ["url": "https://images.invalid/1.png"]
        }
        var answer: [String: Any] = ["created": 1_700_000_000, "data": items]
        if isNew { answer["usage"] = ["input_tokens": 7, "output_tokens": 196, "total_tokens": 203] }
        _ = model
        return try EmulatorAnswer.json(200, answer)
    }

    /// The words themselves stand where a voice would: in the samples of a WAVE file, or after the mark of another kind.
    static func speech(_ body: [UInt8], models: Set<String>) throws(OpenAIRefusal) -> EmulatorAnswer {
        let fields = try OpenAIFields(
            body,
            [
                "model": .text, "input": .text, "voice": .oneOf(["alloy", "echo", "nova"]), "speed": .number,
                "instructions": .text, "response_format": .oneOf(["mp3", "wav", "opus", "aac", "flac", "pcm"]),
            ], required: ["model", "input", "voice"])
        _ = try fields.model(of: models)
        let text = fields.text("input")
        guard (1...4096).contains(text.count) else {
            throw OpenAIRefusal(400, "Invalid 'input': string too long or empty.", param: "input")
        }
        let speed = (fields.object["speed"] as? NSNumber)?.doubleValue ?? 1
        guard (0.25...4).contains(speed) else { throw OpenAIRefusal(400, "Invalid 'speed'.", param: "speed") }
        let words = Array(text.utf8)
        let (type, file): (String, [UInt8]) =
            switch fields.text("response_format") {
            case "wav": ("audio/wav", wave(words))
            case "opus": ("audio/ogg", Array("OggS".utf8) + words)
            default: ("audio/mpeg", Array("ID3".utf8) + words)
            }
        let parts = stride(from: 0, to: file.count, by: 24).map { Array(file[$0..<min($0 + 24, file.count)]) }
        return EmulatorAnswer(200, [("content-type", type)], parts: parts)
    }

    private static func wave(_ words: [UInt8]) -> [UInt8] {
        var file = Array("RIFF".utf8)
        func add(_ value: Int, _ count: Int) {
            for index in 0..<count { file.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
        }
        add(36 + words.count * 2, 4)
        file += Array("WAVEfmt ".utf8)
        for (value, count) in [(16, 4), (1, 2), (1, 2), (8000, 4), (16_000, 4), (2, 2), (16, 2)] { add(value, count) }
        file += Array("data".utf8)
        add(words.count * 2, 4)
        return file + words.flatMap { [$0, 0] }
    }

    /// The words of a file of `speech`; nil for another file.
    static func words(of file: [UInt8]) -> String? {
        guard file.count >= 44, file.starts(with: "RIFF".utf8) else { return nil }
        let bytes = stride(from: 44, to: file.count - 1, by: 2).map { file[$0] }
        return String(validating: bytes.filter { $0 != 0 }, as: UTF8.self)
    }
}

extension OpenAIFields {
    /// Whether a body names one of the newer image models.
    static func isNew(_ body: [UInt8]) -> Bool {
        do { return (try OpenAIChatRequest.object(body)["model"] as? String ?? "").hasPrefix("gpt-image") } catch {
            return false
        }
    }
}
