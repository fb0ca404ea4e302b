// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Emulators
import FoundationEssentials
import TheatreManifest

/// The default deployment with secrets wherever one can be, the other sides they are for, and a server of it at log level
/// trace under a shell that allows core files.
struct CanaryStage {
    let deployment: TemporaryFolder
    let environment: [String: String]
    let server: ServerProcess
    let signing = P256.Signing.PrivateKey()
    let texts: AliyunSMSEmulator
    private let listeners: [EmulatorServer]

    /// Secrets of the deployment's own.
    static let modelKey = "sk-canary-of-the-model-6c1f0e"
    static let botToken = "7000001:AAE-canary-of-the-bot-token-91b2"
    static let smsSecret = "canary-of-the-text-messages-55"

    init(_ engine: StorageEngine) async throws {
        let texts = AliyunSMSEmulator(
            accessKeyID: "LTAItest", secret: Self.smsSecret, signName: "stage",
            templates: ["SMS_1": ["code", "minutes"]],
            now: { Int64(Date().timeIntervalSince1970 * 1000) })
        self.texts = texts
        let model = try OpenAIEmulator(key: Self.modelKey).serve()
        let bot = try TelegramEmulator(token: Self.botToken, chats: ["42"]).serve()
        let sms = try EmulatorServer { request, exchange in exchange.give(texts.respond(to: request)) }
        listeners = [model, bot, sms]
        (deployment, environment) = try await engine.deployment()
        let files = Self.files(model: model.url, bot: bot.url, sms: sms.url)
        let host = try deployment.read("00-host.yaml").replacing("level: info", with: "level: trace")
        for (name, text) in files.merging(["00-host.yaml": host]) { $1 } { try deployment.write(name, text) }
        let folder = try TemporaryFolder()
        try folder.writeKey("session/0001.jwk", SigningKey.jwk(signing))
        try folder.writeKey("aliyun-sms/0001.whsec", "whsec_\(Data(Self.smsSecret.utf8).base64EncodedString())\n")
        try FileManager.default.createDirectory(
            atPath: folder.path("state/secrets"), withIntermediateDirectories: true)
        try folder.write("state/secrets/model.key", Self.modelKey + "\n")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600], ofItemAtPath: folder.path("state/secrets/model.key"))
        server = try await ServerProcess.start(
            deployment.root, folder: folder, wrapper: ["sh", "-c", "ulimit -c unlimited; exec \"$0\" \"$@\""],
            environment: environment.merging(["THEATRE_TEST_BOT": Self.botToken]) { $1 })
    }

    private static func files(model: String, bot: String, sms: String) -> [String: String] {
        func egress(_ url: String) -> String { "egress: [{host: 127.0.0.1, port: \(port(of: url)), private: true}]" }
        return [
            "24-phoneotp.yaml": """
            plugin: PhoneOTP
            instance: phone
            grants:
              keys: {codes: {key: codes}, index: {key: index}}
            config: {country: "86", digits: 10}
            """,
            "42-telegram.yaml": """
            plugin: Telegram
            instance: telegram
            grants:
              \(egress(bot))
              secrets: {bot_token: {from: "env:THEATRE_TEST_BOT", hosts: ["127.0.0.1"]}}
            config: {chat_id: "42", base_url: "\(bot)"}
            """,
            "44-aliyun-sms.yaml": """
            plugin: AliyunSMS
            instance: aliyun-sms
            grants:
              \(egress(sms))
              keys: {access_key: {key: aliyun-sms}}
            config:
              base_url: "\(sms)"
              access_key_id: LTAItest
              sign_name: stage
              templates: [{category: auth.code, template: SMS_1, parameters: [code, minutes]}]
            """,
            "51-openai.yaml": """
            plugin: OpenAI
            instance: openai
            mode: isolated
            grants:
              \(egress(model))
              secrets: {api_key: {from: "file:model.key", hosts: ["127.0.0.1"]}}
            config: {base_url: "\(model)/v1"}
            """,
            "55-needs.yaml": """
            plugin: NeedsSecret
            instance: needs
            mode: isolated
            grants:
              secrets:
                token: {from: "store:token"}
            """,
            "90-routes.yaml": """
            routes:
              - {feature: studio.notify, candidates: [{profile: telegram}]}
              - {feature: studio.outline, candidates: [{profile: openai}]}
              - {feature: studio.retrieval.embed, candidates: [{profile: openai}]}
              - {feature: studio.culture, candidates: [{profile: bianjing}]}
              - {feature: knowledge.embed, candidates: [{profile: offline}]}
            """,
        ]
    }

    /// Somebody with the role `admin`.
    func admin(_ person: Account) throws -> Client {
        guard let text = person.client.token else { throw Unexpected("nobody is signed in") }
        var token = try SignedToken(text)
        token.claims["sub"] = .string("usr_admin")
        token.claims["sid"] = nil
        token.claims["roles"] = .array([.string("admin"), .string("user")])
        return Client(url: server.url, token: try token.signed { try signing.signature(for: $0).rawRepresentation })
    }

    /// What a command says of the deployment; fails unless it ends with status 0.
    func command(_ arguments: [String]) async throws -> String {
        let result = try await theatre(
            arguments + ["--state", server.folder.path("state")] + ServerProcess.options(deployment.root, nil),
            environment: environment)
        guard result.status == 0 else { throw Unexpected("\(arguments): \(result.output)") }
        return result.output
    }

    func stop() throws { for listener in listeners { try listener.stop() } }
}
