// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Messages that wait for a person in the product itself: a notification channel, and the bearer's inbox over HTTP.
struct Inbox: Plugin, NotificationChannelContract, InboxContract {
    static var operations: [Operation<Inbox>] {
        notificationChannelOperations + inboxOperations + privacyHolderOperations
    }

    private let host: PluginHost
    private let configuration: InboxConfiguration

    init(_ host: PluginHost, _ configuration: InboxConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    func activate() async throws { try await InboxStore(host).migrate() }

    func selfTest() async throws { _ = try await InboxStore(host).unread(of: "") }

    // MARK: theatre.notification.v1.Channel

    func send(_ request: NotificationSendRequest, _ call: Call) async throws -> NotificationDelivery {
        let draft = try MessageDraft(request)
        let store = InboxStore(call)
        let now = host.now
        if draft.hasExpired(at: now) {
            guard let delivery = try await store.delivery(of: draft) else { throw InboxError.expired }
            return delivery
        }
        return try await store.add(draft, at: now, keep: configuration.keep)
    }

    func check(_ request: NotificationCheckRequest, _ call: Call) async throws -> NotificationCheckResponse {
        _ = try await InboxStore(call).unread(of: "")
        return .with { $0.ok = true }
    }

    // MARK: theatre.inbox.v1.Inbox

    func listMessages(_ request: InboxListMessagesRequest, _ call: Call) async throws -> InboxMessages {
        let user = try owner(call)
        let limit = request.limit == 0 ? 50 : min(Int(request.limit), 200)
        let after = request.cursor.isEmpty ? nil : try PageCursor(text: request.cursor, count: 1)
        return try await InboxStore(call).page(of: user, after: after, limit: limit, unreadOnly: request.unread)
    }

    func markRead(_ request: InboxMarkReadRequest, _ call: Call) async throws -> InboxMarkReadResponse {
        let user = try owner(call)
        guard (1...200).contains(request.ids.count) else { throw InboxError.countOfIDs(request.ids.count) }
        return try await InboxStore(call).markRead(request.ids, of: user, at: host.now)
    }

    private func owner(_ call: Call) throws -> String {
        guard !call.principal.isEmpty else { throw InboxError.stranger }
        return call.principal
    }
}
