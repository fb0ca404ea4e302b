// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

/// Answers chat requests: by task where one is named, else by extraction.
struct OfflineChat {
    /// The model as it names itself.
    static let model = "offline-extractive-1"
    /// Longest conversation, in Unicode scalars.
    static let longestInput = 200_000

    /// What is sent, in parts of a sentence.
    var parts: [String]
    /// Whether `max_tokens` ended it.
    var isCut: Bool
    var usage: ContentUsage

    /// Answers, or throws INVALID_ARGUMENT with the field at fault.
    static func answer(_ request: ContentChatRequest) throws -> OfflineChat {
        try check(request)
        let input = request.messages.reduce(0) { $0 + TokenCount.estimate($1.text) }
        switch request.task {
        case "outline": return try outline(request, input: input)
        case "":
            guard request.responseSchema.isEmpty else { throw OfflineError.task("", "/response_schema") }
            let texts = request.messages.filter { $0.role != .system }.map(\.text)
            let answer = ExtractiveAnswer.answer(texts, maxTokens: Int(request.maxTokens))
            return OfflineChat(parts: answer.parts, isCut: answer.isCut, usage: usage(input, answer.text))
        default: throw OfflineError.task(request.task, "/task")
        }
    }

    private static func check(_ request: ContentChatRequest) throws {
        guard request.messages.contains(where: { $0.role == .user && !$0.text.isEmpty }) else { throw OfflineError.noMessage() }
        var scalars = 0
        for (index, message) in request.messages.enumerated() {
            scalars += message.text.unicodeScalars.count
            guard scalars <= longestInput else { throw OfflineError.tooLong("/messages/\(index)/text") }
        }
    }

    private static func outline(_ request: ContentChatRequest, input: Int) throws -> OfflineChat {
        guard let text = request.messages.last(where: { $0.role == .user })?.text else { throw OfflineError.noMessage() }
        let json = OutlineJSON.write(Outliner.outline(text))
        let tokens = TokenCount.estimate(json)
        // Half a JSON document is of no use to anyone: too small a limit is refused.
        guard request.maxTokens == 0 || tokens <= Int(request.maxTokens) else { throw OfflineError.limit(tokens) }
        return OfflineChat(parts: chunks(json), isCut: false, usage: usage(input, json))
    }

    /// Parts of about a sentence, cut anywhere: they are put together again before they are read.
    private static func chunks(_ text: String) -> [String] {
        var chunks: [String] = []
        var rest = text.unicodeScalars[...]
        while !rest.isEmpty {
            chunks.append(String(rest.prefix(240)))
            rest = rest.dropFirst(240)
        }
        return chunks
    }

    private static func usage(_ input: Int, _ output: String) -> ContentUsage {
        var usage = ContentUsage()
        usage.inputTokens = Int64(input)
        usage.outputTokens = Int64(TokenCount.estimate(output))
        usage.estimated = true
        return usage
    }
}
