// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import OpenBaoServer
import Testing
import TheatreManifest

/// A deployment whose master key and some of whose secrets are in an OpenBao server, over TLS, with its plugin in a sandbox.
@Suite(.serialized) struct VaultTests {
    /// A server with a listener that speaks TLS, and what a deployment needs of it.
    private struct World {
        let folder: TemporaryFolder
        let server: OpenBaoServer
        let secure: Int

        init() throws {
            folder = try TemporaryFolder()
            try folder.write("tls.crt", SelfSigned.certificate)
            try folder.write("tls.key", SelfSigned.key)
            // Taken by chance by somebody else, it fails the start, which is then repeated with the same.
            secure = Int.random(in: 10_000..<20_000)
            server = try OpenBaoServer(
                folder: folder.root,
                listeners: """
                    listener "tcp" {
                      address = "127.0.0.1:\(secure)"
                      tls_cert_file = "\(folder.path("tls.crt"))"
                      tls_key_file = "\(folder.path("tls.key"))"
                    }
                    """)
            try server.ask("POST", "sys/mounts/transit", #"{"type": "transit"}"#)
            try server.ask("POST", "transit/keys/theatre")
            try server.ask("POST", "secret/data/stage/mail", #"{"data": {"value": "one", "user": "ann"}}"#)
        }

        func deployment() throws -> TemporaryFolder {
            try TemporaryFolder([
                "00-host.yaml": """
                development: true
                key_source: vault
                egress: {ca_files: ["\(folder.path("tls.crt"))"]}

                """,
                "10-sqlite.yaml": "plugin: SQLite\ninstance: sqlite\ncritical: true\ngrants: {state_folder: true}\n",
                "23-vault.yaml": """
                plugin: OpenBao
                instance: vault
                mode: isolated
                grants:
                  egress: [{host: 127.0.0.1, port: \(secure), private: true}]
                  secrets: {token: {from: "env:THEATRE_TEST_VAULT", hosts: [127.0.0.1]}}
                config: {address: "https://127.0.0.1:\(secure)"}

                """,
                "50-needs.yaml": Self.needs("store:token"),
            ])
        }

        static func needs(_ source: String) -> String {
            "plugin: NeedsSecret\ninstance: needs\ngrants:\n  secrets:\n    token: {from: \"\(source)\"}\n"
        }
    }

    @Test func theMasterKeyAndSecretsAreInTheVault() async throws {
        let world = try World()
        let deployment = try world.deployment()
        let environment = ["THEATRE_TEST_VAULT": OpenBaoServer.rootToken]
        let server = try await ServerProcess.start(deployment.root, environment: environment)
        let secrets = { (arguments: [String]) in
            try await theatre(
                ["secrets"] + arguments + ["--state", server.folder.path("state")]
                    + ServerProcess.options(deployment.root, nil), environment: environment)
        }
        func serves(_ value: String) async throws {
            try await eventually("\(value) is served\n\(server.output)") {
                try await server.client.get("/fixtures/needs-secret").text == value ? true : nil
            }
        }
        let value = server.folder.path("value.txt")
        try Data("sealed by the vault\n".utf8).write(to: URL(filePath: value))
        let put = try await secrets(["put", "token", "--file", value])
        #expect(put.output.contains("version 1 is stored"), "\(put.output)")
        try await serves("sealed by the vault")

        // A new version of the key there: data keys are wrapped anew, and the old version can go.
        try world.server.ask("POST", "transit/keys/theatre/rotate")
        let rewrap = try await secrets(["rewrap"])
        #expect(rewrap.output.contains("1 data key wrapped by 2"), "\(rewrap.output)")
        try world.server.ask("POST", "transit/keys/theatre/config", #"{"min_decryption_version": 2}"#)
        try deployment.write("51-again.yaml", "plugin: NeedsSecret\ninstance: again\nenabled: false\n")
        server.hangUp()
        try await serves("sealed by the vault")

        // A secret that is in the vault itself, by path and field; what changes there counts within a second.
        try deployment.write("50-needs.yaml", World.needs("vault:vault/stage/mail#user"))
        server.hangUp()
        // The key source has no secret of a vault but its own; it reads them for others.
        try await serves("ann")
        try deployment.write("50-needs.yaml", World.needs("vault:vault/stage/mail"))
        server.hangUp()
        try await serves("one")
        try world.server.ask("POST", "secret/data/stage/mail", #"{"data": {"value": "two"}}"#)
        try await serves("two")

        // Sealed, it serves nothing, and the last value serves on; nothing was written down of it.
        try world.server.ask("POST", "sys/seal")
        try await serves("two")
        let refused = try await secrets(["put", "token", "--file", value])
        #expect(refused.status == 1 && refused.output.contains("keysource.unreachable"), "\(refused.output)")
        #expect(refused.output.contains("sealed"), "\(refused.output)")
        try await server.stop()
        #expect(!server.output.contains(OpenBaoServer.rootToken))
    }

    @Test func aVaultThatIsNotThereIsFoundBeforeTheStart() async throws {
        let deployment = try TemporaryFolder([
            "00-host.yaml": "development: true\n",
            "10-sqlite.yaml": "plugin: SQLite\ninstance: sqlite\ngrants: {state_folder: true}\n",
            "50-needs.yaml": World.needs("vault:valt/stage/mail"),
        ])
        let result = try await theatre(["check"] + ServerProcess.options(deployment.root, nil))
        #expect(result.status == 1)
        #expect(result.output.contains("secret.unknown_vault"), "\(result.output)")
    }
}
