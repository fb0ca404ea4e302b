// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import Registry
import Runtime
import SeededRandom
import Testing
import TheatreManifest

@testable import Trust

/// Badges: what a policy asks of them, and what does not pass for one.
@Suite struct BadgeTests {
    private let folder: String
    private let file: PluginFile

    init() throws {
        folder = "\(FileManager.default.temporaryDirectory.path)/badges-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: "\(folder)/keys", withIntermediateDirectories: true)
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let built = own[..<(own.lastIndex(of: "/") ?? own.startIndex)]
        try FileManager.default.copyItem(atPath: "\(built)/libGood.so", toPath: "\(folder)/libGood.so")
        file = try PluginFile(name: "Good", path: "\(folder)/libGood.so")
    }

    private var badge: Badge {
        Badge(
            plugin: "Good", version: file.manifest.version, digest: file.digest, kit: 2, profile: "full", isSound: true)
    }

    private func reasons(_ badge: Badge?, _ settings: String, _ file: PluginFile? = nil) throws -> [String] {
        let file = file ?? self.file
        var lock = LockFile()
        lock.plugins["Good"] = LockFile.Plugin(
            version: file.manifest.version, digests: [LockFile.architecture: file.digest],
            badges: badge.map { [LockFile.architecture: $0] } ?? [:])
        lock.instances["good"] = LockFile.Instance(plugin: "Good", grants: .object([:]))
        try Data(lock.text().utf8).write(to: URL(filePath: "\(folder)/plugins.lock"))
        let host = try HostConfiguration(JSONValue(json: Data(#"{"trust": \#(settings)}"#.utf8)))
        let instance = InstanceDeclaration(name: "good", plugin: "Good", map: SourceMap(file: "20-good.yaml"))
        let findings = try TrustPolicy(host.trust, folder: folder).findings(instance, file)
        #expect(findings.allSatisfy { !$0.error.fix.isEmpty })
        return findings.filter { $0.error.code.contains("badge") }.map {
            $0.error.code + ($0.refuses ? "" : " (said)")
        }
    }

    @Test func aPolicyAsksForABadgeOfThisBuildAndNewEnough() throws {
        #expect(try reasons(nil, "{}") == [])
        #expect(try reasons(nil, #"{"badges": "warn"}"#) == ["trust.badge_missing (said)"])
        #expect(try reasons(nil, #"{"badges": "refuse"}"#) == ["trust.badge_missing"])
        #expect(try reasons(badge, #"{"badges": "refuse"}"#) == [])
        #expect(try reasons(badge, #"{"badges": "refuse", "badge_kit": 2}"#) == [])
        #expect(try reasons(badge, #"{"badges": "refuse", "badge_kit": 3}"#) == ["trust.badge_kit"])
        var other = badge
        other.digest = String(repeating: "0", count: 64)
        #expect(try reasons(other, #"{"badges": "refuse"}"#) == ["trust.badge_other"])
        other = badge
        other.plugin = "Better"
        #expect(try reasons(other, #"{"badges": "refuse"}"#) == ["trust.badge_other"])
        other = badge
        other.isSound = false
        #expect(try reasons(other, #"{"badges": "refuse"}"#) == ["trust.badge_failed"])
    }

    @Test func theQuickChecksDoWhereThePolicySaysSo() throws {
        var quick = badge
        quick.profile = "quick"
        #expect(try reasons(quick, #"{"badges": "refuse"}"#) == ["trust.badge_profile"])
        #expect(try reasons(quick, #"{"badges": "refuse", "badge_profile": "quick"}"#) == [])
        #expect(try reasons(badge, #"{"badges": "refuse", "badge_profile": "quick"}"#) == [])
        quick.profile = "selected"
        #expect(try reasons(quick, #"{"badges": "refuse", "badge_profile": "quick"}"#) == ["trust.badge_profile"])
    }

    @Test func whereSignaturesAreWantedABadgeNeedsOne() throws {
        let settings = #"{"badges": "refuse", "badge_kit": 2, "signatures": "\#(folder)/keys"}"#
        let key = try makeKey("operator"), stranger = try makeKey("stranger", isKnown: false)
        #expect(try reasons(badge, settings) == ["trust.badge_unsigned"])
        try badge.json.json().write(to: URL(filePath: Badge.path(of: file.path)))
        #expect(try Badge.sign(file, name: "stranger", key: stranger))
        #expect(try reasons(try Badge.read(library: file.path), settings) == ["trust.badge_unsigned"])
        #expect(try Badge.sign(file, name: "operator", key: key))
        let signed = try #require(try Badge.read(library: file.path))
        #expect(signed.signatures.count == 2)
        #expect(try reasons(signed, settings) == [])
        // What was signed is all that a policy asks for: none of it can be bettered afterwards.
        for change in [{ $0.kit = 9 }, { $0.profile = "all" }, { $0.version = "9.0.0" }] as [(inout Badge) -> Void] {
            var forged = signed
            change(&forged)
            #expect(try forged.signer(folder: "\(folder)/keys") == nil)
        }
        var bettered = badge
        bettered.kit = 1
        bettered.signatures = signed.signatures
        #expect(try reasons(bettered, settings) == ["trust.badge_kit"])
    }

    @Test func aBadgeOfAnotherBuildIsNotSigned() throws {
        let key = try makeKey("operator")
        #expect(try Badge.sign(file, name: "operator", key: key) == false)
        var other = badge
        other.digest = String(repeating: "0", count: 64)
        try other.json.json().write(to: URL(filePath: Badge.path(of: file.path)))
        #expect(throws: TrustFailure.self) { try Badge.sign(file, name: "operator", key: key) }
    }

    @Test func aLockKeepsItsBadges() throws {
        var lock = LockFile()
        lock.plugins["Good"] = LockFile.Plugin(version: "1.0.0", digests: [:], badges: ["x86_64": badge])
        let read = try LockFile(JSONValue(json: Data(lock.text().utf8)))
        #expect(read == lock)
        #expect(lock.changes(to: lock) == [])
        lock.plugins["Good"]?.badges = [:]
        #expect(read.changes(to: lock).count == (LockFile.architecture == "x86_64" ? 1 : 0) || read != lock)
    }

    @Test(arguments: [
        "{}", #"{"badge": 2}"#,
        #"{"badge": 1, "plugin": "A", "version": "1", "digest": "", "kit": "x", "profile": "full", "ok": true}"#,
        #"{"badge": 1, "plugin": "A\nB", "version": "1", "digest": "", "kit": "1", "profile": "full", "ok": true}"#,
        #"{"badge": 1, "plugin": "A", "version": "1", "digest": "", "kit": "1", "profile": "full", "ok": 1}"#,
    ])
    func whatIsNoBadgeIsRefused(_ text: String) throws {
        #expect(throws: ManifestError.self) { try Badge(JSONValue(json: Data(text.utf8))) }
    }

    /// PEM files as openssl writes them.
    private func makeKey(_ name: String, isKnown: Bool = true) throws -> String {
        let key = Curve25519.Signing.PrivateKey()
        func pem(_ kind: String, _ prefix: [UInt8], _ raw: Data) -> Data {
            Data(
                "-----BEGIN \(kind) KEY-----\n\((Data(prefix) + raw).base64EncodedString())\n-----END \(kind) KEY-----\n"
                    .utf8)
        }
        if isKnown {
            try pem("PUBLIC", PEM.publicPrefix, key.publicKey.rawRepresentation)
                .write(to: URL(filePath: "\(folder)/keys/\(name).pem"))
        }
        let path = "\(folder)/\(name).pem"
        try pem("PRIVATE", PEM.privatePrefix, key.rawRepresentation).write(to: URL(filePath: path))
        return path
    }
}
