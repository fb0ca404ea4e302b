// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts

/// What the Bot API answered, as far as it matters here.
struct BotAnswer: Decodable, Sendable {
    var ok: Bool
    var errorCode: Int?
    var description: String?
    var result: Result?
    var parameters: Parameters?

    /// Of sendMessage or getMe.
    struct Result: Decodable, Sendable {
        var messageID: Int64?
        var username: String?

        enum CodingKeys: String, CodingKey {
            case messageID = "message_id"
            case username
        }
    }

    /// How an error could be met.
    struct Parameters: Decodable, Sendable {
        var retryAfter: UInt64?
        var migrateToChatID: Int64?

        enum CodingKeys: String, CodingKey {
            case retryAfter = "retry_after"
            case migrateToChatID = "migrate_to_chat_id"
        }
    }

    enum CodingKeys: String, CodingKey {
        case ok, description, result, parameters
        case errorCode = "error_code"
    }
}

/// What an answer means for a message.
enum SendOutcome: Sendable, Hashable {
    /// Accepted, with the chat's id of it.
    case delivered(Int64)
    /// The marks could not be read.
    case unreadableMarks
    /// The group has another id now.
    case migrated(Int64)
    /// Silence is asked for, for so many seconds.
    case throttled(UInt64)
    /// The chat cannot be written to.
    case dead(String)
    /// The bot or its token is wrong.
    case misconfigured(String)
    /// Never.
    case rejected(String)
    /// It may have been sent.
    case uncertain(String)

    /// Reads an answer by status, code and wording.
    init(status: UInt32, body: Data) {
        let answer: BotAnswer
        do {
            answer = try JSONDecoder().decode(BotAnswer.self, from: body)
        } catch {
            self = Self.unreadable(status)
            return
        }
        let text = String((answer.description ?? "").prefix(200))
        if answer.ok, (200...299).contains(status) {
            guard let id = answer.result?.messageID else {
                self = .uncertain("the answer has no message id")
                return
            }
            self = .delivered(id)
            return
        }
        self = Self.refused(answer.errorCode ?? Int(status), text, answer.parameters)
    }

    private static func refused(_ code: Int, _ text: String, _ parameters: BotAnswer.Parameters?) -> SendOutcome {
        let lower = text.lowercased()
        if let id = parameters?.migrateToChatID { return .migrated(id) }
        switch code {
        case 400 where lower.contains("can't parse entities"): return .unreadableMarks
        case 400 where lower.contains("chat not found") || lower.contains("peer_id_invalid"): return .dead(text)
        case 401, 404, 409: return .misconfigured(text)
        case 403: return .dead(text)
        case 429: return .throttled(parameters?.retryAfter ?? 5)
        case 500...: return .uncertain("status \(code)")
        default: return .rejected(text)
        }
    }

    /// Not the Bot API's own words: a proxy, or an address that is wrong.
    private static func unreadable(_ status: UInt32) -> SendOutcome {
        switch status {
        case 429: .throttled(5)
        case 300...499: .misconfigured("status \(status) without an answer of the Bot API")
        default: .uncertain("status \(status)")
        }
    }
}
