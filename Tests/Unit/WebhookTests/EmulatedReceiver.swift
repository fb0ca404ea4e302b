// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import EmulatedHost
import Emulators
import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Webhook

/// The plugin in front of the emulated receiver, joined as the host's egress and keys join them.
struct EmulatedReceiver {
    static let url = "https://hooks.example/theatre?tenant=1"
    static let secret = Array("0123456789abcdef0123456789abcdef".utf8)
    let host = TestHost()
    let emulator: WebhookEmulator

    /// - Parameters:
    ///   - keys: the host's keys, by the plugin's names.
    ///   - skew: seconds by which the receiver's clock is ahead.
    init(
        keys: [String: [UInt8]] = ["webhook": secret], skew: Int64 = 0,
        configuration: String = #"{"url": "\#(url)"}"#
    ) async throws {
        let host = host
        let emulator = WebhookEmulator(secret: Self.secret) { host.now / 1000 + skew }
        self.emulator = emulator
        host.emulateKeys(secrets: keys)
        host.emulate(["https://hooks.example"]) { emulator.respond(to: $0) }
        try await host.install(
            Webhook.self, manifest: .plugin("Messaging/Webhook"), instance: "webhook", configuration: configuration)
        host.route("notify", to: "webhook")
    }

    var client: NotificationChannelClient { NotificationChannelClient(host.scope(), feature: "notify") }

    func message(_ id: String = "m1") -> NotificationSendRequest {
        .with {
            $0.messageID = id
            $0.user = "usr_1"
            $0.category = "draft.finished"
            $0.title = "灯下无影"
            $0.body = "12 场已写完。"
            $0.data = #"{"run_id":"run_1"}"#
        }
    }

    /// What a send failed with.
    func failure(
        _ id: String = "m1", _ edit: (inout NotificationSendRequest) -> Void = { _ in }
    ) async -> PluginError? {
        var request = message(id)
        edit(&request)
        do {
            _ = try await client.send(request)
            return nil
        } catch { return error as? PluginError }
    }
}
