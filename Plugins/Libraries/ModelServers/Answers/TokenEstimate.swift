// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreContracts

/// Our own count of tokens, for answers whose server did not say: a Han character is one, four others are one.
public enum TokenEstimate {
    /// Of an image, which nobody can count without knowing the model: what most take for a small one.
    public static let image: Int64 = 800

    /// About how many tokens a text has.
    public static func tokens(_ text: String) -> Int64 {
        var wide: Int64 = 0
        var narrow: Int64 = 0
        for scalar in text.unicodeScalars {
            if scalar.value >= 0x2E80 { wide += 1 } else { narrow += 1 }
        }
        return wide + (narrow + 3) / 4
    }

    /// Of what a conversation's answer begins from, its tools included.
    public static func input(_ request: ContentChatRequest) -> Int64 {
        let turns = request.messages.reduce(Int64(0)) { sum, message in
            let calls = message.toolCalls.reduce(Int64(0)) { $0 + tokens($1.name) + tokens($1.arguments) }
            return sum + tokens(message.text) + 4 + calls + Int64(message.images.count) * image
        }
        return request.tools.reduce(turns) { sum, tool in
            sum + tokens(tool.name) + tokens(tool.description_p) + tokens(tool.parameters)
        }
    }

    /// Of a conversation and its answer.
    public static func usage(_ request: ContentChatRequest, _ answer: String) -> ContentUsage {
        var usage = ContentUsage()
        usage.inputTokens = input(request)
        usage.outputTokens = tokens(answer)
        usage.estimated = true
        return usage
    }
}

extension ContentUsage {
    /// Adds what another attempt took.
    public mutating func add(_ other: ContentUsage) {
        inputTokens += other.inputTokens
        outputTokens += other.outputTokens
        cachedInputTokens += other.cachedInputTokens
        reasoningTokens += other.reasoningTokens
        estimated = estimated || other.estimated
    }
}
