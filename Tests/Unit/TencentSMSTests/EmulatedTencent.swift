// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import EmulatedHost
import Emulators
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import TencentSMS

/// The plugin in front of the emulated API.
struct EmulatedTencent {
    static let secret = "a-secret-key-of-thirty-2-letters"
    let host = TestHost()
    let emulator: TencentSMSEmulator

    /// - Parameter given: the SecretKey that the host has, behind `TC3`, as the plugin's key.
    init(given: String = secret) async throws {
        let host = host
        let emulator = TencentSMSEmulator(
            secretID: "AKIDtest", secretKey: Self.secret, appID: "1400000001", signName: "汴京剧场",
            templates: ["449739": 2, "449740": 0], now: { host.now })
        self.emulator = emulator
        host.emulate(["https://sms.tencentcloudapi.com"]) { emulator.respond(to: $0) }
        host.emulateKeys(secrets: ["secret_key": Array("TC3\(given)".utf8)])
        try await host.install(
            TencentSMS.self, manifest: .plugin("Messaging/TencentSMS"), instance: "sms",
            configuration: """
                {"secret_id": "AKIDtest", "app_id": "1400000001", "sign_name": "汴京剧场", "templates": [
                {"category": "auth.code", "template": "449739", "parameters": ["code", "minutes"]},
                {"category": "suite", "template": "449740", "parameters": []}]}
                """)
        host.route("notify", to: "sms")
    }

    var client: NotificationChannelClient { NotificationChannelClient(host.scope(), feature: "notify") }

    func send(
        _ id: String = "m1", to address: String = "+8613800138000", category: String = "auth.code",
        data: String = #"{"code":"123456","minutes":5}"#
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
