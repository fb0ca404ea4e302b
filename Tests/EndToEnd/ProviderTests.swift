// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import Testing
import TheatreManifest

/// Providers over the wire: the default deployment with a feature routed to a provider that an emulator stands for.
@Suite(.serialized) struct ProviderTests {
    @Test func theEndOfARunIsToldByTelegram() async throws {
        let token = "123456:emulated-token"
        let telegram = TelegramEmulator(token: token, chats: ["4711"])
        let emulator = try telegram.serve()
        let folder = try defaultDeployment([
            "42-telegram.yaml": """
            plugin: Telegram
            instance: telegram
            grants:
              egress: [{host: 127.0.0.1, port: \(port(of: emulator.url)), private: true}]
              secrets: {bot_token: {from: "env:TEST_BOT_TOKEN", hosts: ["127.0.0.1"]}}
            config: {base_url: "\(emulator.url)", chat_id: "4711"}
            """,
            "90-routes.yaml": """
            routes:
              - {feature: studio.notify, candidates: [{profile: telegram}]}
              - {feature: studio.culture, candidates: [{profile: bianjing}]}
            """,
        ])
        let server = try await ServerProcess.start(folder.root, environment: ["TEST_BOT_TOKEN": token])
        let person = try await Account.new(on: server)
        _ = try await person.buy(500)
        let run = try await person.startRun(chapterText).text("/id")
        #expect(try await person.awaitRun(run)["status"]?.string == "SUCCEEDED")
        do {
            try await eventually("the message arrives") { telegram.messages.isEmpty ? nil : true }
        } catch {
            throw Unexpected("\(error); \(telegram.requests) requests came\n\(server.output.suffix(4000))")
        }
        #expect(telegram.messages.count == 1)
        #expect(telegram.messages.first?.chat == "4711")
        #expect(!server.output.contains(token), "the token must not be logged")
        try await server.stop()
        try emulator.stop()
    }
}
