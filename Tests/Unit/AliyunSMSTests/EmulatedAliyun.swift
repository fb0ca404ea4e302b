// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import EmulatedHost
import Emulators
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import AliyunSMS

/// The plugin in front of the emulated API.
struct EmulatedAliyun {
    static let secret = "a-secret-of-thirty-characters-"
    let host = TestHost()
    let emulator: AliyunSMSEmulator

    /// - Parameter given: the secret that the host has as the plugin's key.
    init(given: String = secret) async throws {
        let host = host
        let emulator = AliyunSMSEmulator(
            accessKeyID: "LTAItest", secret: Self.secret, signName: "汴京剧场",
            templates: ["SMS_1": ["code", "minutes"], "SMS_2": []], now: { host.now })
        self.emulator = emulator
        host.emulate(["https://dysmsapi.aliyuncs.com"]) { emulator.respond(to: $0) }
        host.emulateKeys(secrets: ["access_key": Array(given.utf8)])
        try await host.install(
            AliyunSMS.self, manifest: .plugin("Messaging/AliyunSMS"), instance: "sms",
            configuration: """
                {"access_key_id": "LTAItest", "sign_name": "汴京剧场", "templates": [
                {"category": "auth.code", "template": "SMS_1", "parameters": ["code", "minutes"]},
                {"category": "suite", "template": "SMS_2", "parameters": []}]}
                """)
        host.route("notify", to: "sms")
    }

    var client: NotificationChannelClient { NotificationChannelClient(host.scope(), feature: "notify") }

    func send(
        _ id: String = "m1", to address: String = "+8613800138000", category: String = "auth.code",
        data: String = #"{"code":"123456","minutes":"5"}"#
    ) async throws -> NotificationDelivery {
        try await client.send(
            .with {
                $0.messageID = id
                $0.address = address
                $0.category = category
                $0.data = data
            })
    }
}
