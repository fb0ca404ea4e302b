// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import EmulatedHost
import Emulators
import FoundationEssentials
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Telegram

/// The plugin in front of the emulator, joined as the host's egress joins plugins and servers.
struct EmulatedBot {
    static let token = "7000001:AAE_secret-token"
    let host = TestHost()
    let emulator = TelegramEmulator(token: token, chats: ["42", "-100", "-1009", "@stage"])

    /// - Parameter given: the token that the host has as the plugin's secret.
    init(_ configuration: String = #"{"chat_id": "42"}"#, given: String = token) async throws {
        let emulator = emulator
        host.emulate(["https://api.telegram.org"], secrets: ["bot_token": given]) { emulator.respond(to: $0) }
        try await host.install(
            Telegram.self, manifest: .plugin("Messaging/Telegram"), instance: "telegram", configuration: configuration)
        host.route("notify", to: "telegram")
    }

    var client: NotificationChannelClient { NotificationChannelClient(host.scope(), feature: "notify") }

    func send(
        _ id: String = "m1", to address: String = "", title: String = "Ready (1)", body: String = "Scene 1. Done!",
        validUntil: Int64 = 0
    ) async throws -> NotificationDelivery {
        try await client.send(
            .with {
                $0.messageID = id
                $0.address = address
                $0.category = "draft.finished"
                $0.title = title
                $0.body = body
                $0.validUntil = validUntil
            })
    }

    /// What a send failed with.
    func failure(_ id: String = "m1", to address: String = "") async -> PluginError? {
        do {
            _ = try await send(id, to: address)
            return nil
        } catch { return error as? PluginError }
    }
}
