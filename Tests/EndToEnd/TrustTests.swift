// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import Testing
import TheatreManifest

/// Which libraries a host loads: the lock, signatures, and trials in a child.
@Suite(.serialized) struct TrustTests {
    private let deployment: TemporaryFolder
    private let libraries: TemporaryFolder

    init() throws {
        deployment = try TemporaryFolder(SwapTests.files)
        libraries = try TemporaryFolder()
        for name in ["SQLite", "Edition", "Relay"] {
            try FileManager.default.copyItem(
                atPath: "\(BuildFolder.path)/lib\(name).so", toPath: libraries.path("lib\(name).so"))
        }
    }

    private func plugins(_ arguments: [String], status: Int32 = 0) async throws -> String {
        let result = try await theatre(["plugins"] + arguments + ServerProcess.options(deployment.root, libraries.root))
        guard result.status == status else {
            throw Unexpected("\(arguments) ended with \(result.status), not \(status):\n\(result.output)")
        }
        return result.output
    }

    private func trust(_ settings: String) throws {
        try deployment.write("00-host.yaml", "\(SwapTests.files["00-host.yaml"] ?? "")trust: \(settings)\n")
    }

    /// One byte more: another build of the same plugin.
    private func tamper(_ name: String) throws {
        let path = libraries.path("lib\(name).so")
        try (Data(contentsOf: URL(filePath: path)) + Data([0])).write(to: URL(filePath: path), options: .atomic)
    }

    @Test func aBuildThatIsNotTheLockedOneIsNotLoaded() async throws {
        #expect(try await plugins(["lock", "--check"], status: 1).contains("Edition: new"))
        #expect(try await plugins(["lock", "--dry-run"]).contains("Edition: new"))
        _ = try await plugins(["lock"])
        #expect(try await plugins(["lock", "--check"]).contains("fits"))
        #expect(try await plugins(["verify"]).contains("ok"))
        try tamper("Edition")
        let verdicts = try JSONValue(json: Data(try await plugins(["verify", "--json"], status: 1).utf8))
        let refused = verdicts.array?.filter { $0["verdict"]?.string == "refused" }.compactMap {
            $0["instance"]?.string
        }
        #expect(refused == ["edition"])
        let server = try await ServerProcess.start(deployment.root, libraries: libraries.root)
        #expect(server.instance("edition")?["state"]?.string == "QUARANTINED")
        #expect(server.instance("edition")?["reason"]?.string?.contains("trust.digest") == true)
        #expect(server.instance("relay")?["state"]?.string == "READY")
        _ = try await plugins(["lock"])
        let folder = server.folder.path("state")
        let released = try await theatre(["plugins", "swap", "edition", "--state", folder, "--plugins", libraries.root])
        #expect(released.status == 0, "\(released.output)")
        #expect(try await server.client.get("/fixtures/edition").status == 200)
        try await server.stop()
    }

    @Test func whatIsNotLockedIsTreatedAsThePolicySays() async throws {
        try trust("{unlocked: warn}")
        let server = try await ServerProcess.start(deployment.root, libraries: libraries.root)
        #expect(server.instance("edition")?["state"]?.string == "READY")
        #expect(server.output.contains("trust.unlocked"))
        try await server.stop()
        try trust("{unlocked: refuse}")
        let refused = try await theatre(
            ["serve", "--port", "0", "--state", deployment.path("state")]
                + ServerProcess.options(deployment.root, libraries.root))
        #expect(refused.status == 1 && refused.output.contains("trust.unlocked"), "\(refused.output)")
        _ = try await plugins(["lock"])
        let locked = try await ServerProcess.start(deployment.root, libraries: libraries.root)
        #expect(locked.instance("edition")?["state"]?.string == "READY")
        try await locked.stop()
        try deployment.write("20-edition.yaml", "plugin: Edition\ninstance: second\n")
        try deployment.write("90-routes.yaml", "routes:\n  - {feature: relay.next, candidates: [{profile: second}]}\n")
        #expect(try await plugins(["verify"], status: 1).contains("no entry for instance second"))
    }

    @Test func aLibraryMustBeSignedByAKnownKeyWhereKeysAreNamed() async throws {
        let key = Curve25519.Signing.PrivateKey()
        try deployment.write(
            "operator.pem", pem("PRIVATE KEY", "302e020100300506032b657004220420", key.rawRepresentation))
        let keys = try TemporaryFolder()
        try keys.write(
            "main.pem", pem("PUBLIC KEY", "302a300506032b6570032100", key.publicKey.rawRepresentation))
        try trust("{signatures: \(keys.root)}")
        #expect(try await plugins(["verify"], status: 1).contains("trust.unsigned"))
        let sign = [
            "plugins", "sign", "--key", deployment.path("operator.pem"), "--name", "main", "--plugins", libraries.root,
        ]
        let signed = try await theatre(sign + ["SQLite", "Edition", "Relay"])
        #expect(signed.status == 0, "\(signed.output)")
        #expect(try await plugins(["verify"]).contains("main"))
        try tamper("Edition")
        #expect(try await plugins(["verify"], status: 1).contains("trust.unsigned"))
        let stranger = Curve25519.Signing.PrivateKey()
        try deployment.write(
            "operator.pem", pem("PRIVATE KEY", "302e020100300506032b657004220420", stranger.rawRepresentation))
        _ = try await theatre(sign + ["Edition"])
        #expect(try await plugins(["verify"], status: 1).contains("trust.unsigned"), "not the key of that name")
    }

    @Test func aPolicyMayDemandBadges() async throws {
        try trust("{badges: refuse, badge_profile: quick}")
        _ = try await plugins(["lock"])
        #expect(try await plugins(["verify"], status: 1).contains("trust.badge_missing"))
        let check = ["check"] + ServerProcess.options(deployment.root, libraries.root)
        let checked = try await theatre(check)
        #expect(checked.status == 1 && checked.output.contains("trust.badge_missing"), "\(checked.output)")
        let started = try await theatre(
            ["serve", "--port", "0", "--state", deployment.path("state")]
                + ServerProcess.options(deployment.root, libraries.root))
        #expect(started.status == 1 && started.output.contains("trust.badge_missing"), "\(started.output)")
        for name in ["SQLite", "Edition", "Relay"] {
            let path = libraries.path("lib\(name).so")
            let validated = try await theatre(["plugin", "validate", "--quick", path, "--badge", "\(path).badge"])
            #expect(validated.status == 0, "\(validated.output)")
        }
        #expect(try await plugins(["lock"]).contains("Edition: badge none for"))
        #expect(try await plugins(["verify"]).contains("kit"))
        #expect(try await theatre(check).status == 0)
        let server = try await ServerProcess.start(deployment.root, libraries: libraries.root)
        #expect(server.instance("edition")?["state"]?.string == "READY")
        try await server.stop()
        try trust("{badges: warn, badge_profile: full}")
        #expect(try await plugins(["verify"]).contains("trust.badge_profile"))
        #expect(try await theatre(check).output.contains("warning: "))
        try trust("{badges: refuse, badge_profile: quick, badge_kit: 1000}")
        #expect(try await plugins(["verify"], status: 1).contains("trust.badge_kit"))
        try tamper("Edition")
        #expect(try await plugins(["lock"], status: 1).contains("beside it is Edition, build"))
    }

    @Test func aLibraryIsServedElsewhereByTheSamePolicy() async throws {
        _ = try await plugins(["lock"])
        func serve(_ name: String, _ switches: [String]) async throws -> String {
            let result = try await theatre(
                [
                    "plugin", "serve", libraries.path("lib\(name).so"), "--listen",
                    "unix:\(libraries.path("socket"))", "--plaintext",
                ] + switches)
            #expect(result.status == 1, "\(result.output)")
            return result.output
        }
        let lock = ["--lock", deployment.path("plugins.lock")]
        #expect(try await serve("Edition", ["--signatures", libraries.root]).contains("trust.unsigned"))
        #expect(try await serve("Edition", lock + ["--badges", "refuse"]).contains("trust.badge_missing"))
        #expect(try await serve("Edition", ["--unlocked", "refuse"]).contains("trust.unlocked"))
        #expect(try await serve("Edition", ["--unlocked", "perhaps"]).contains("unlocked"))
        try tamper("Edition")
        #expect(try await serve("Edition", lock).contains("trust.digest"))
        try FileManager.default.copyItem(
            atPath: "\(BuildFolder.path)/libPostgreSQL.so", toPath: libraries.path("libPostgreSQL.so"))
        #expect(try await serve("PostgreSQL", lock).contains("trust.unlocked"))
        #expect(
            try await serve("PostgreSQL", ["--require-grants", "strict"]).contains("remote.grants_unenforced"))
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o777], ofItemAtPath: libraries.path("libRelay.so"))
        #expect(try await serve("Relay", lock).contains("trust.file_writable"))
    }

    private func pem(_ kind: String, _ prefix: String, _ raw: Data) -> String {
        var bytes = Data()
        var digits = prefix[...]
        while !digits.isEmpty {
            bytes.append(UInt8(digits.prefix(2), radix: 16) ?? 0)
            digits = digits.dropFirst(2)
        }
        return "-----BEGIN \(kind)-----\n\((bytes + raw).base64EncodedString())\n-----END \(kind)-----\n"
    }

    @Test func everyLibraryIsTriedOnceInAChildWhereThatIsAskedFor() async throws {
        try trust("{probe: always}")
        let folder = try TemporaryFolder()
        for _ in 0..<2 {
            let server = try await ServerProcess.start(deployment.root, libraries: libraries.root, folder: folder)
            #expect(server.instance("edition")?["state"]?.string == "READY")
            try await server.stop()
        }
        let verdicts = try FileManager.default.contentsOfDirectory(atPath: folder.path("state/probes"))
        #expect(verdicts.count == 3 && verdicts.allSatisfy { $0.hasSuffix(".json") }, "\(verdicts)")
    }

    @Test func aLibraryThatEverybodyMayWriteIsRefusedInProduction() async throws {
        try deployment.write("00-host.yaml", "development: false\n")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o777], ofItemAtPath: libraries.path("libEdition.so"))
        #expect(try await plugins(["verify"], status: 1).contains("trust.file_writable"))
    }
}
