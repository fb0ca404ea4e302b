// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import FoundationEssentials
import Testing
import TheatreManifest

/// Messages to another system as Standard Webhooks: signed with a secret that the receiver made, and what its answers mean.
@Suite(.serialized) struct WebhookTests {
    static let secret = Array("the receiver made this secret 32".utf8)

    /// A receiver, and a server that tells it of runs.
    private struct Scene {
        let receiver: WebhookEmulator
        let deployment: TemporaryFolder
        let folder: TemporaryFolder
        let server: ServerProcess
        let person: Account
        let listener: EmulatorServer
        let environment: [String: String]

        static func start(on engine: StorageEngine = .sqlite) async throws -> Scene {
            let receiver = WebhookEmulator(secret: secret) { Int64(Date().timeIntervalSince1970) }
            let listener = try receiver.serve()
            let (deployment, environment) = try await engine.deployment()
            try deployment.write(
                "41-webhook.yaml",
                """
                plugin: Webhook
                instance: webhook
                grants:
                  egress: [{host: 127.0.0.1, port: \(port(of: listener.url)), private: true}]
                  keys: {webhook: {key: hooks}}
                config: {url: "\(listener.url)/hook"}
                """)
            try deployment.write(
                "90-routes.yaml",
                """
                routes:
                  - {feature: studio.notify, candidates: [{profile: webhook}]}
                  - {feature: studio.culture, candidates: [{profile: bianjing}]}
                """)
            let folder = try TemporaryFolder()
            try folder.writeKey("hooks/0001.whsec", "whsec_\(Data(secret).base64EncodedString())\n")
            let server = try await ServerProcess.start(
                deployment.root, folder: folder, environment: environment)
            let person = try await Account.new(on: server)
            _ = try await person.buy(500)
            return Scene(
                receiver: receiver, deployment: deployment, folder: folder, server: server, person: person,
                listener: listener, environment: environment)
        }

        func run() async throws -> String {
            let run = try await person.startRun(chapterText).text("/id")
            #expect(try await person.awaitRun(run)["status"]?.string == "SUCCEEDED")
            return run
        }

        func stop() async throws {
            try await server.stop()
            try listener.stop()
        }
    }

    @Test func theEndOfARunArrivesSigned() async throws {
        let scene = try await Scene.start()
        let run = try await scene.run()
        // The emulator keeps nothing whose signature it cannot verify.
        #expect(scene.receiver.requests == 1)
        let delivery = try #require(scene.receiver.deliveries.first)
        #expect(delivery.signatures == 1)
        #expect(delivery.id.hasPrefix("msg_"))
        let body = try JSONValue(json: Data(delivery.body.utf8))
        #expect(body["type"]?.string == "draft.finished")
        #expect(body.value(at: "/data/user")?.string == scene.person.id)
        #expect(body.value(at: "/data/message_id")?.string == "draft:\(run)")
        #expect(body.value(at: "/data/data/run_id")?.string == run)
        #expect(!scene.server.output.contains("whsec_"))
        #expect(!scene.server.output.contains(Data(Self.secret).base64EncodedString()))
        try await scene.stop()
    }

    /// What the receiver answers changes nothing of the run: a message is given up where it says so, and otherwise sent
    /// again until it arrives.
    @Test func whatTheReceiverPutsOffArrivesLater() async throws {
        let scene = try await Scene.start()
        func lines(_ text: String, _ run: String) -> String {
            scene.server.output.split(separator: "\n").filter { $0.contains(text) && $0.contains(run) }.joined()
        }
        scene.receiver.script(.status(410, []))
        let refused = try await scene.run()
        #expect(lines("the owner of a run could not be told", refused).contains("notification.address_dead"))
        #expect(scene.receiver.requests == 1)

        let faults: [(WebhookEmulator.Fault, String)] = [
            (.status(503, [("retry-after", "1")]), "notification.throttled"),
            (.status(500, []), "notification.unconfirmed"), (.cut(kept: false), "notification.unconfirmed"),
        ]
        for (fault, reason) in faults {
            scene.receiver.script(fault)
            let run = try await scene.run()
            #expect(lines("a message is sent again later", run).contains(reason))
            try await eventually("the message of \(run) arrives", seconds: 60) {
                scene.receiver.deliveries.contains { $0.body.contains(run) } ? true : nil
            }
        }
        #expect(scene.receiver.deliveries.count == 3)
        try await scene.stop()
    }

    /// Killed between the attempt that failed and the next: the host that comes after it sends the message.
    @Test(arguments: StorageEngine.allCases)
    func aKilledHostsMessageIsSentByTheNext(_ engine: StorageEngine) async throws {
        let scene = try await Scene.start(on: engine)
        scene.receiver.script(.status(503, [("retry-after", "3")]))
        let run = try await scene.run()
        try await scene.server.crash()
        #expect(scene.receiver.requests == 1 && scene.receiver.deliveries.isEmpty)
        let next = try await ServerProcess.start(
            scene.deployment.root, folder: scene.folder, environment: scene.environment)
        try await eventually("the message arrives", seconds: 60) {
            scene.receiver.deliveries.first?.body.contains(run) == true ? true : nil
        }
        #expect(scene.receiver.requests == 2 && scene.receiver.deliveries.count == 1)
        try await next.stop()
        try scene.listener.stop()
    }
}
