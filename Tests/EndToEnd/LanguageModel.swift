// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import FoundationEssentials
import NIOHTTP1
import TheatreManifest

/// The default deployment with the OpenAI plugin at an emulator, and a server of it.
struct LanguageModel {
    static let key = "sk-emulated-4f1d0c2b9a"

    let emulator: OpenAIEmulator
    let server: ServerProcess
    private let listener: EmulatorServer

    /// - Parameters:
    ///   - fallbacks: profiles that outline where the emulator cannot.
    ///   - given: the key the host has.
    ///   - attempts: how often a run is tried.
    ///   - price: of the emulator.
    ///   - state: where the server's state is, with what a test put there.
    static func start(
        on engine: StorageEngine = .sqlite, fallbacks: String = "", given: String = key, attempts: Int = 1,
        price: String = "{free: true}", folder state: TemporaryFolder? = nil
    ) async throws -> LanguageModel {
        let emulator = OpenAIEmulator(key: key)
        let listener = try emulator.serve()
        let (folder, environment) = try await engine.deployment()
        let files = [
            "00-host.yaml": try folder.read("00-host.yaml").replacing("level: info", with: "level: trace"),
            "51-openai.yaml": """
            plugin: OpenAI
            instance: openai
            grants:
              egress: [{host: 127.0.0.1, port: \(port(of: listener.url)), private: true}]
              secrets: {api_key: {from: "env:TEST_OPENAI_KEY", hosts: ["127.0.0.1"]}}
            config: {base_url: "\(listener.url)/v1"}
            """,
            "70-drafting.yaml": try defaultFile("70-drafting.yaml") + "  max_attempts: \(attempts)\n",
            "90-routes.yaml": """
            profiles:
              - {name: openai, instance: openai, price: \(price)}
            routes:
              - {feature: studio.notify, candidates: [{profile: inbox}]}
              - {feature: studio.outline, candidates: [{profile: openai}], fallbacks: [\(fallbacks)]}
              - {feature: studio.retrieval.embed, candidates: [{profile: openai}]}
              - {feature: studio.culture, candidates: [{profile: bianjing}]}
              - {feature: knowledge.embed, candidates: [{profile: offline}]}
            """,
        ]
        for (name, text) in files { try folder.write(name, text) }
        let server = try await ServerProcess.start(
            folder.root, folder: state, environment: environment.merging(["TEST_OPENAI_KEY": given]) { $1 })
        return LanguageModel(emulator: emulator, server: server, listener: listener)
    }

    /// Someone with 500 chips.
    func person() async throws -> Account {
        let person = try await Account.new(on: server)
        _ = try await person.buy(500)
        return person
    }

    /// The bodies of the requests so far.
    var requests: [JSONValue] {
        get throws { try emulator.bodies.map { try JSONValue(json: Data($0.utf8)) } }
    }

    func stop() async throws {
        try await server.stop()
        try listener.stop()
    }
}

extension Account {
    /// What a run came to: how it ended, and that nothing is held any more.
    func outcome(ofRun text: String = chapterText) async throws -> JSONValue {
        let run = try await awaitRun(try await startRun(text).text("/id"))
        try await eventually("no chips are held") { try await self.held() == 0 ? true : nil }
        return run
    }

    /// Chips that are held.
    func held() async throws -> Int64 {
        let wallet = try await client.expect(200, .GET, "/api/v1/me/wallet")
        return wallet["balances"]?.array?.first { $0["currency"]?.string == "CHIP" }?["held"]?.integer ?? 0
    }
}
