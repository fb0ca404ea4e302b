// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import FoundationEssentials
import Testing
import TheatreManifest

/// Providers over the wire: the default deployment with a feature routed to a provider that an emulator stands for.
@Suite(.serialized) struct ProviderTests {
    /// The default deployment with files replaced or added.
    private func deployment(_ changes: [String: String]) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for file in try FileManager.default.contentsOfDirectory(atPath: Sources.defaultDeployment) {
            let text = try String(contentsOf: URL(filePath: "\(Sources.defaultDeployment)/\(file)"), encoding: .utf8)
            try folder.write(file, text)
        }
        for (file, text) in changes { try folder.write(file, text) }
        return folder
    }

    @Test func theEndOfARunIsToldByTelegram() async throws {
        let token = "123456:emulated-token"
        let telegram = TelegramEmulator(token: token, chats: ["4711"])
        let emulator = try telegram.serve()
        let port = emulator.url.split(separator: ":").last.map(String.init) ?? ""
        let folder = try deployment([
            "42-telegram.yaml": """
            plugin: Telegram
            instance: telegram
            grants:
              egress: [{host: 127.0.0.1, port: \(port), private: true}]
              secrets: {bot_token: {from: "env:TEST_BOT_TOKEN", hosts: ["127.0.0.1"]}}
            config: {base_url: "\(emulator.url)", chat_id: "4711"}
            """,
            "90-routes.yaml": "routes:\n  - {feature: studio.notify, candidates: [{profile: telegram}]}\n",
        ])
        let server = try await ServerProcess.start(folder.root, environment: ["TEST_BOT_TOKEN": token])
        let person = try await Account.new(on: server)
        _ = try await person.buy(500)
        let run = try await person.startRun(chapterText).text("/id")
        #expect(try await person.awaitRun(run)["status"]?.string == "SUCCEEDED")
        try await eventually("the message arrives") { telegram.messages.isEmpty ? nil : true }
        #expect(telegram.messages.count == 1)
        #expect(telegram.messages.first?.chat == "4711")
        #expect(!server.output.contains(token), "the token must not be logged")
        try await server.stop()
        try emulator.stop()
    }
}
