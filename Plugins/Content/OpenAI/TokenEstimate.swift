// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts

/// Our own count of tokens, for answers whose server did not say: a Han character is one, four others are one.
enum TokenEstimate {
    /// About how many tokens a text has.
    static func tokens(_ text: String) -> Int64 {
        var wide: Int64 = 0
        var narrow: Int64 = 0
        for scalar in text.unicodeScalars {
            if scalar.value >= 0x2E80 { wide += 1 } else { narrow += 1 }
        }
        return wide + (narrow + 3) / 4
    }

    /// Of a conversation and its answer.
    static func usage(_ request: ContentChatRequest, _ answer: String) -> ContentUsage {
        var usage = ContentUsage()
        usage.inputTokens = request.messages.reduce(0) { $0 + tokens($1.text) + 4 }
        usage.outputTokens = tokens(answer)
        usage.estimated = true
        return usage
    }
}
