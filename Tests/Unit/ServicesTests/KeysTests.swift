// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Runtime
import SwiftProtobuf
import Testing
import TheatreContracts

@testable import Services

/// A folder of its own for one test.
final class Folder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/services-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            Issue.record("The folder of a test could not be removed: \(error)")
        }
    }

    func write(_ name: String, _ text: String, mode: Int = 0o600) throws {
        let file = "\(path)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    }
}

@Suite struct KeysTests {
    private static func granted(_ key: String, _ algorithm: String) -> ResolvedGrants {
        var grants = ResolvedGrants()
        grants.keys["mine"] = .init(key: key, algorithm: algorithm)
        return grants
    }

    @Test func ed25519SignsAsInRFC8037() throws {
        let jwk = JWK(
            kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
        let key = try #require(try KeyVersion(jwk))
        let signature = try key.sign(Array("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".utf8))
        #expect(
            Base64URL.encode(signature)
                == "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
        // RFC 8037 A.3.
        #expect(key.id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
        #expect(!key.publicJWK.contains("nWGxne"))
    }

    @Test func aKeyWhoseHalvesDifferIsRefused() throws {
        let jwk = JWK(
            kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp",
            d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
        #expect(try KeyVersion(jwk) == nil)
    }

    @Test(arguments: ["EdDSA", "ES256"])
    func keysAreMadeOnceAndSignForTheirVerifier(algorithm: String) async throws {
        let folder = try Folder()
        let grant = ResolvedGrants.KeyGrant(key: "tokens", algorithm: algorithm)
        let keys = FileKeys(folder: folder.path, generate: true)
        try keys.prepare(keys: [grant])
        let again = FileKeys(folder: folder.path, generate: false)
        try again.prepare(keys: [grant])
        #expect(try keys.versions(of: "tokens").map(\.id) == again.versions(of: "tokens").map(\.id))
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/tokens/0001.jwk")
        #expect(attributes[.posixPermissions] as? Int == 0o600)

        let service = KeysService(source: again)
        let request = HostSignRequest.with {
            $0.key = "mine"
            $0.data = Data("hello".utf8)
        }
        let call = try FakeHostCall(request, grants: Self.granted("tokens", algorithm))
        service.serve("Sign", call)
        let response = try await call.response(HostSignResponse.self)
        #expect(response.signature.count == 64)
        #expect(response.algorithm == algorithm)
        let jwk = try JSONDecoder().decode(JWK.self, from: Data(try again.publicKeys(of: "tokens")[0].utf8))
        #expect(jwk.kid == response.keyID)
        #expect(jwk.d == nil)
        #expect(try jwk.verifies(response.signature, of: Data("hello".utf8)))
        #expect(try !jwk.verifies(response.signature, of: Data("hellO".utf8)))
    }

    @Test func theNewestVersionSignsAndOlderOnesAreFoundById() async throws {
        let folder = try Folder()
        let grant = ResolvedGrants.KeyGrant(key: "tokens", algorithm: "EdDSA")
        let first = FileKeys(folder: folder.path, generate: true)
        try first.prepare(keys: [grant])
        let old = try first.versions(of: "tokens")[0].id
        let newer = try #require(KeyVersion.generate("EdDSA"))
        try PrivateFile.create(folder.path + "/tokens/0002.jwk", contents: newer.json())
        try first.prepare(keys: [grant])
        #expect(try first.versions(of: "tokens").map(\.id) == [newer.thumbprint, old])
        for (id, expected) in [("", newer.thumbprint), (old, old)] {
            let call = try FakeHostCall(
                HostSignRequest.with {
                    $0.key = "mine"
                    $0.keyID = id
                }, grants: Self.granted("tokens", "EdDSA"))
            KeysService(source: first).serve("Sign", call)
            #expect(try await call.response(HostSignResponse.self).keyID == expected)
        }
    }

    @Test func macsHoldForTheirDataOnly() async throws {
        let folder = try Folder()
        let keys = FileKeys(folder: folder.path, generate: true)
        try keys.prepare(keys: [.init(key: "hooks", algorithm: "HS256")])
        let service = KeysService(source: keys)
        let make = try FakeHostCall(
            HostMacRequest.with {
                $0.key = "mine"
                $0.data = Data([1, 2, 3])
            }, grants: Self.granted("hooks", "HS256"))
        service.serve("Mac", make)
        let mac = try await make.response(HostMacResponse.self).mac
        #expect(mac.count == 32)
        for (data, expected) in [(Data([1, 2, 3]), true), (Data([1, 2, 4]), false)] {
            let call = try FakeHostCall(
                HostVerifyMacRequest.with {
                    $0.key = "mine"
                    $0.data = data
                    $0.mac = mac
                }, grants: Self.granted("hooks", "HS256"))
            service.serve("VerifyMac", call)
            #expect(try await call.response(HostVerifyMacResponse.self).valid == expected)
        }
        #expect(try keys.publicKeys(of: "hooks").isEmpty)
    }

    @Test func keysWithoutAGrantOrOfAnotherAlgorithmAreRefused() async throws {
        let folder = try Folder()
        let keys = FileKeys(folder: folder.path, generate: true)
        try keys.prepare(keys: [.init(key: "tokens", algorithm: "EdDSA")])
        let service = KeysService(source: keys)
        let request = HostSignRequest.with { $0.key = "mine" }
        let stranger = try FakeHostCall(request)
        service.serve("Sign", stranger)
        #expect(await stranger.error()?.reason == "keys.not_granted")
        let other = try FakeHostCall(request, grants: Self.granted("tokens", "ES256"))
        service.serve("Sign", other)
        #expect(await other.error()?.reason == "keys.wrong_algorithm")
        let mac = try FakeHostCall(HostMacRequest.with { $0.key = "mine" }, grants: Self.granted("tokens", "EdDSA"))
        service.serve("Mac", mac)
        #expect(await mac.error()?.reason == "keys.wrong_algorithm")
    }

    @Test func aKeyMayBeOfAnyAlgorithmThatItsGrantTakes() async throws {
        let folder = try Folder()
        let grant = ResolvedGrants.KeyGrant(key: "tokens", algorithm: "EdDSA", also: ["ES256"])
        try FileManager.default.createDirectory(atPath: folder.path + "/tokens", withIntermediateDirectories: true)
        for (name, algorithm) in [("0001", "EdDSA"), ("0002", "ES256")] {
            let jwk = try #require(KeyVersion.generate(algorithm))
            try PrivateFile.create(folder.path + "/tokens/\(name).jwk", contents: jwk.json())
        }
        let keys = FileKeys(folder: folder.path, generate: false)
        try keys.prepare(keys: [grant])
        var grants = ResolvedGrants()
        grants.keys["mine"] = grant
        let service = KeysService(source: keys)
        let sign = try FakeHostCall(HostSignRequest.with { $0.key = "mine" }, grants: grants)
        service.serve("Sign", sign)
        #expect(try await sign.response(HostSignResponse.self).algorithm == "ES256")
        let list = try FakeHostCall(HostPublicKeysRequest.with { $0.key = "mine" }, grants: grants)
        service.serve("PublicKeys", list)
        #expect(try await list.response(HostPublicKeysResponse.self).keys.map(\.algorithm) == ["ES256", "EdDSA"])
        let error = #expect(throws: CallError.self) {
            try keys.prepare(keys: [.init(key: "tokens", algorithm: "EdDSA")])
        }
        #expect(error?.reason == "keys.wrong_algorithm")
    }

    @Test(arguments: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    func aSecretOfAWebhookMakesItsSignatures(line: String) throws {
        let folder = try Folder()
        try FileManager.default.createDirectory(atPath: folder.path + "/hooks", withIntermediateDirectories: true)
        try folder.write("hooks/0002.whsec", line)
        let keys = FileKeys(folder: folder.path, generate: false)
        try keys.prepare(keys: [.init(key: "hooks", algorithm: "HS256")])
        // The vector of the reference libraries.
        let signed = #"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#
        let mac = try keys.versions(of: "hooks")[0].mac(Array(signed.utf8))
        #expect(Data(mac).base64EncodedString() == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        #expect(try keys.publicKeys(of: "hooks").isEmpty)
    }

    @Test(arguments: ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8G", "whsec_!", "{}", ""])
    func whatIsNoSecretOfAWebhookIsRefused(line: String) throws {
        let folder = try Folder()
        try FileManager.default.createDirectory(atPath: folder.path + "/hooks", withIntermediateDirectories: true)
        try folder.write("hooks/0001.whsec", line)
        let error = #expect(throws: CallError.self) {
            try FileKeys(folder: folder.path, generate: true).prepare(keys: [.init(key: "hooks", algorithm: "HS256")])
        }
        #expect(error?.reason == "keys.malformed")
        #expect(line.isEmpty || error?.message.contains(line) == false)
    }

    @Test func openFilesAndMissingKeysStopTheStart() throws {
        let folder = try Folder()
        let grant = ResolvedGrants.KeyGrant(key: "tokens", algorithm: "EdDSA")
        let missing = #expect(throws: CallError.self) {
            try FileKeys(folder: folder.path, generate: false).prepare(keys: [grant])
        }
        #expect(missing?.reason == "keys.missing")
        try FileKeys(folder: folder.path, generate: true).prepare(keys: [grant])
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o644], ofItemAtPath: folder.path + "/tokens/0001.jwk")
        let open = #expect(throws: CallError.self) {
            try FileKeys(folder: folder.path, generate: true).prepare(keys: [grant])
        }
        #expect(open?.reason == "keys.unsafe_file")
    }
}
