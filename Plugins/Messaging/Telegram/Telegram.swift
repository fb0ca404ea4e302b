// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// A notification channel through a Telegram bot.
final class Telegram: Plugin, NotificationChannelContract {
    static var operations: [Operation<Telegram>] { notificationChannelOperations }

    private let host: PluginHost
    private let configuration: TelegramConfiguration
    private let pace = Mutex(SendPace())
    private let recent = Mutex(RecentDeliveries())

    init(_ host: PluginHost, _ configuration: TelegramConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    func send(_ request: NotificationSendRequest, _ call: Call) async throws -> NotificationDelivery {
        let chat = try Self.chat(request.address.isEmpty ? configuration.chatID : request.address)
        let text = MessageText(title: request.title, body: request.body)
        guard !text.plain.allSatisfy(\.isWhitespace) else { throw TelegramError.empty }
        let key = "\(chat) \(request.messageID)"
        if !request.messageID.isEmpty, let known = recent.withLock({ $0.delivery(key) }) { return known }
        guard request.validUntil == 0 || request.validUntil > host.now else { throw TelegramError.expired }
        let reference = try await deliver(text, to: chat, call)
        let delivery = NotificationDelivery.with {
            $0.providerReference = reference
            $0.at = host.now
        }
        if !request.messageID.isEmpty { recent.withLock { $0.remember(key, delivery) } }
        return delivery
    }

    func check(_ request: NotificationCheckRequest, _ call: Call) async throws -> NotificationCheckResponse {
        do {
            let answer = try await HostEgressClient(call).fetch(fetch("getMe", method: "GET"))
            let bot = try JSONDecoder().decode(BotAnswer.self, from: answer.body)
            return .with {
                $0.ok = bot.ok
                let name = bot.result?.username ?? ""
                $0.message = bot.ok ? "@\(name)" : bot.description ?? "status \(answer.status)"
            }
        } catch let error as PluginError {
            return .with { $0.message = error.message }
        } catch is DecodingError {
            return .with { $0.message = "There is no Bot API at base_url." }
        }
    }

    /// Sends, and where the answer says how to do better, once more for each cause.
    private func deliver(_ text: MessageText, to first: String, _ call: Call) async throws -> String {
        var chat = first
        var isMarked = configuration.parseMode == .markdownV2
        var isMigrated = false
        if let wait = pace.withLock({ $0.admit(chat, at: milliseconds) }) {
            throw TelegramError.throttled(milliseconds: wait)
        }
        while true {
            switch try await post(text, to: chat, isMarked: isMarked, call) {
            case .delivered(let id): return isMigrated ? "migrated:\(chat):\(id)" : "\(id)"
            case .unreadableMarks where isMarked:
                host.log.debug("marks refused", ["telegram.resend": "plain"])
                isMarked = false
            case .migrated(let id) where !isMigrated:
                (chat, isMigrated) = ("\(id)", true)
            case .throttled(let seconds):
                let wait = min(seconds, 86_400) * 1000
                pace.withLock { $0.hold(milliseconds: wait, at: milliseconds) }
                throw TelegramError.throttled(milliseconds: wait)
            case .dead(let reason): throw TelegramError.dead(reason)
            case .misconfigured(let reason): throw TelegramError.misconfigured(reason)
            case .rejected(let reason): throw TelegramError.rejected(reason)
            case .uncertain(let reason): throw TelegramError.uncertain(reason)
            case .unreadableMarks: throw TelegramError.rejected("can't parse entities")
            case .migrated: throw TelegramError.rejected("the group moved twice")
            }
        }
    }

    private func post(_ text: MessageText, to chat: String, isMarked: Bool, _ call: Call) async throws -> SendOutcome {
        var members: [String: JSONValue] = [
            "chat_id": Int64(chat).map { .integer($0) } ?? .string(chat),
            "text": .string(isMarked ? text.markdownV2 : text.plain),
        ]
        if isMarked { members["parse_mode"] = .string("MarkdownV2") }
        if configuration.disableNotification { members["disable_notification"] = .bool(true) }
        var request = fetch("sendMessage", method: "POST")
        request.headers = [
            .with {
                $0.name = "content-type"
                $0.value = "application/json"
            }
        ]
        request.body = try JSONValue.object(members).json()
        do {
            let answer = try await HostEgressClient(call).fetch(request)
            return SendOutcome(status: answer.status, body: answer.body)
        } catch let error as PluginError {
            throw TelegramError.transport(error)
        }
    }

    private func fetch(_ name: String, method: String) -> HostFetchRequest {
        .with {
            $0.method = method
            $0.url = configuration.url(name)
            $0.timeoutMs = configuration.timeoutMilliseconds
            $0.maxResponseBytes = 64 << 10
        }
    }

    private var milliseconds: UInt64 { host.monotonicNanoseconds / 1_000_000 }

    /// A number or @channel.
    private static func chat(_ text: String) throws -> String {
        if Int64(text) != nil { return text }
        guard text.wholeMatch(of: #/@[A-Za-z][A-Za-z0-9_]{3,31}/#) != nil else { throw TelegramError.noChat }
        return text
    }
}
