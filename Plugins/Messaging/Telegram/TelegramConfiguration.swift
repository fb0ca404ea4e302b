// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct TelegramConfiguration: Decodable, Sendable {
    /// Where the Bot API is.
    var baseURL: String
    /// The chat of messages that name none, or empty.
    var chatID: String
    var parseMode: ParseMode
    var disableNotification: Bool
    var timeoutMilliseconds: UInt32

    /// How texts are marked up.
    enum ParseMode: String, Decodable, Sendable {
        case none
        case markdownV2 = "MarkdownV2"
    }

    enum CodingKeys: String, CodingKey {
        case baseURL = "base_url"
        case chatID = "chat_id"
        case parseMode = "parse_mode"
        case disableNotification = "disable_notification"
        case timeoutMilliseconds = "timeout_ms"
    }

    /// The URL of a method, with the place of the token.
    func url(_ method: String) -> String {
        var base = Substring(baseURL)
        while base.hasSuffix("/") { base.removeLast() }
        return "\(base)/bot${secret:bot_token}/\(method)"
    }
}
