// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreManifest

/// What is kept of how instances were brought up, and what it is good for.
@Suite(.serialized) struct SelfTestTests {
    private static let model = """
        plugin: OpenAI
        instance: openai
        grants:
          egress: [api.openai.com]
          secrets:
            api_key: {from: "file:openai_key", hosts: [api.openai.com]}
        config:
          model: gpt-4o-mini

        """
    private static let unproved =
        "90-routes.yaml:9: route.unproved: Profile \"model\" is not proved to meet studio.outline: its last probe failed: "
        + "secrets.missing: "

    @Test func whatFailedIsNotToBeRoutedToUntilItIsProved() async throws {
        let plain = modelRoutes.replacing("      - {profile: model, when: {locale: en}}\n", with: "")
        let deployment = try defaultDeployment(["51-openai.yaml": Self.model, "90-routes.yaml": plain])
        let server = try await ServerProcess.start(deployment.root)
        #expect(server.instance("openai")?["state"]?.string == "QUARANTINED")
        let state = ["--state", server.folder.path("state")]
        #expect(try await check(deployment, state).status == 0)

        // A route that names it is a fault, offline and at a reload.
        try deployment.write("90-routes.yaml", modelRoutes)
        let refused = try await check(deployment, state)
        #expect(refused.status == 1)
        #expect(refused.output.contains(Self.unproved), "\(refused.output)")
        #expect(try await check(deployment, []).status == 0)
        let explained = try await theatre(
            ["explain", "studio.outline"] + state + ServerProcess.options(deployment.root, nil))
        #expect(explained.status == 0)
        #expect(explained.output.contains(Self.unproved), "\(explained.output)")
        server.hangUp()
        try await eventually("the reload is refused") { server.output.contains("was not applied") ? true : nil }
        #expect(server.output.contains(Self.unproved), "\(server.output)")

        // Once it was brought up, it may be named.
        try server.folder.writeSecret("openai_key", "sk-test")
        _ = try await server.plugins(["release", "openai"])
        #expect(try await check(deployment, state).status == 0)
        server.hangUp()
        try await eventually("the reload is applied") { server.output.contains("was read again") ? true : nil }
        try await server.stop()
    }

    @Test func anOldFailureHoldsNeitherAStartNorAReloadBack() async throws {
        let deployment = try defaultDeployment(["51-openai.yaml": Self.model, "90-routes.yaml": modelRoutes])
        let server = try await ServerProcess.start(deployment.root)
        let state = ["--state", server.folder.path("state")]
        #expect(try await check(deployment, state).output.contains(Self.unproved))
        // Named before, it is tried again at each reload, and holds nothing else back.
        server.hangUp()
        try await eventually("the reload is applied") { server.output.contains("was read again") ? true : nil }
        try await server.stop()
        try server.folder.writeSecret("openai_key", "sk-test")
        let again = try await ServerProcess.start(deployment.root, folder: server.folder)
        #expect(again.instance("openai")?["state"]?.string == "READY")
        #expect(try await check(deployment, state).status == 0)
        try await again.stop()
    }

    @Test func afterAChangeOfItsConfigurationAFailureSaysNothingMore() async throws {
        let deployment = try defaultDeployment(["51-openai.yaml": Self.model, "90-routes.yaml": modelRoutes])
        let server = try await ServerProcess.start(deployment.root)
        let state = ["--state", server.folder.path("state")]
        #expect(try await check(deployment, state).status == 1)
        try deployment.write("51-openai.yaml", Self.model.replacing("openai_key", with: "other_key"))
        #expect(try await check(deployment, state).status == 0)
        try await server.stop()
        try Data("[{}]".utf8).write(to: URL(filePath: server.folder.path("state/self-tests.json")))
        let broken = try await check(deployment, state)
        #expect(broken.status == 1)
        #expect(broken.output.contains("What self-tests found cannot be read"), "\(broken.output)")
    }

    private func check(_ deployment: TemporaryFolder, _ state: [String]) async throws -> CommandResult {
        try await theatre(["check"] + state + ServerProcess.options(deployment.root, nil))
    }
}

extension TemporaryFolder {
    /// Puts a secret into the state folder `state`.
    func writeSecret(_ name: String, _ text: String) throws {
        try FileManager.default.createDirectory(
            atPath: path("state/secrets"), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try write("state/secrets/\(name)", text)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path("state/secrets/\(name)"))
    }
}
