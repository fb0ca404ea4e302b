// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import OpenBaoServer
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreManifest
import TheatrePlugin

@testable import OpenBao

/// The plugin against the real server: what it does, and what it answers when it does not.
@Suite(.serialized) struct OpenBaoServerTests {
    private static let policy = """
        path "transit/keys/theatre" { capabilities = ["read"] }
        path "transit/+/theatre" { capabilities = ["update"] }
        path "secret/data/stage/*" { capabilities = ["read"] }
        """

    @Test func dataKeysAreWrappedByVersionsOfTheServersKey() async throws {
        try await withFolder { folder in
            let server = try OpenBaoServer(folder: folder)
            try Self.furnish(server)
            let vault = try await Vault(server)
            #expect(try await vault.keys.describe(.init()).versions == ["1"])
            let first = try await vault.wrap("0123456789abcdef")
            #expect(first.version == "1")
            #expect(try await vault.unwrap(first.wrapped) == "0123456789abcdef")
            try server.ask("POST", "transit/keys/theatre/rotate")
            let described = try await vault.keys.describe(.init())
            #expect(described.currentVersion == "2")
            #expect(described.versions == ["1", "2"])
            let anew = try await vault.keys.rewrap(
                .with {
                    $0.wrapped = first.wrapped
                    $0.associatedData = Data("place".utf8)
                })
            #expect(anew.version == "2")
            #expect(try await vault.unwrap(anew.wrapped) == "0123456789abcdef")

            // Another place, a changed byte, what it never wrapped.
            var changed = first.wrapped
            changed[changed.count - 5] ^= 1
            let others = [
                (first.wrapped, "elsewhere"), (changed, "place"), (Data("vault:v1:AAAA".utf8), "place"),
                (Data([0xff, 0]), "place"), (first.wrapped, ""),
            ]
            for (wrapped, place) in others {
                let error = await Vault.failure { try await vault.unwrap(wrapped, for: place) }
                #expect(error?.reason == "keysource.tampered", "\(place) \(String(describing: error))")
            }
            #expect(await Vault.failure { try await vault.wrap("") }?.reason == "keysource.bad_key")
            // Versions that are no longer there.
            try server.ask("POST", "transit/keys/theatre/config", #"{"min_decryption_version": 2}"#)
            #expect(try await vault.keys.describe(.init()).versions == ["2"])
            let old = await Vault.failure { try await vault.unwrap(first.wrapped) }
            #expect(old?.reason == "keysource.unknown_version", "\(String(describing: old))")
        }
    }

    @Test func aKeyThatIsNotThereIsNotMade() async throws {
        try await withFolder { folder in
            let server = try OpenBaoServer(folder: folder)
            try Self.furnish(server)
            try server.ask("POST", "transit/keys/signs", #"{"type": "ed25519"}"#)
            for name in ["nobody", "signs"] {
                let vault = try await Vault(server, #", "transit_key": "\#(name)""#)
                #expect(await Vault.failure { try await vault.wrap("0123456789abcdef") }?.reason == "keysource.no_key")
            }
            #expect(throws: (any Error).self) { try server.ask("GET", "transit/keys/nobody") }
        }
    }

    @Test func secretsAreReadByPathAndField() async throws {
        try await withFolder { folder in
            let server = try OpenBaoServer(folder: folder)
            try server.ask("POST", "secret/data/stage/mail", #"{"data": {"value": "one", "user": "ann", "n": 5}}"#)
            let vault = try await Vault(server)
            let read = try await vault.read("stage/mail")
            #expect(read.value == Data("one".utf8))
            #expect(read.version == 1)
            #expect(try await vault.read("stage/mail", "user").value == Data("ann".utf8))
            try server.ask("POST", "secret/data/stage/mail", #"{"data": {"value": "two"}}"#)
            let second = try await vault.read("stage/mail")
            #expect(second.value == Data("two".utf8))
            #expect(second.version == 2)
            for (path, field) in [("stage/none", ""), ("stage/mail", "user"), ("stage/../mail", ""), ("", "")] {
                let error = await Vault.failure { try await vault.read(path, field) }
                #expect(error?.reason == "secretsource.missing", "\(path) \(String(describing: error))")
            }
            try server.ask("DELETE", "secret/data/stage/mail")
            #expect(await Vault.failure { try await vault.read("stage/mail") }?.reason == "secretsource.missing")
        }
    }

    @Test func anAppRoleSignsInAndDoesAgainWhenItsTokenIsRevoked() async throws {
        try await withFolder { folder in
            let server = try OpenBaoServer(folder: folder)
            try Self.furnish(server)
            try server.ask("POST", "secret/data/stage/mail", #"{"data": {"value": "one"}}"#)
            try server.ask("POST", "secret/data/other/mail", #"{"data": {"value": "one"}}"#)
            let leases = try Self.appRole(server)
            let vault = try await Vault(server, #", "authentication": "approle""#, leases: leases)
            let wrapped = try await vault.wrap("0123456789abcdef")
            #expect(try await vault.unwrap(wrapped.wrapped) == "0123456789abcdef")
            #expect(try await vault.read("stage/mail").value == Data("one".utf8))
            // By its policy it may not.
            #expect(await Vault.failure { try await vault.read("other/mail") }?.reason == "secretsource.refused")
            try server.ask("PUT", "sys/leases/revoke-prefix/auth/approle")
            #expect(try await vault.read("stage/mail").value == Data("one".utf8))
        }
    }

    @Test func whatTheServerRefusesAndWhenItIsSealed() async throws {
        try await withFolder { folder in
            let server = try OpenBaoServer(folder: folder)
            try Self.furnish(server)
            let leases = try Self.appRole(server)
            let stranger = try await Vault(server, token: "no-such-token")
            #expect(await Vault.failure { try await stranger.wrap("0123456789abcdef") }?.reason == "keysource.no_key")
            #expect(await Vault.failure { try await stranger.read("stage/mail") }?.reason == "secretsource.refused")
            let impostor = try await Vault(
                server, #", "authentication": "approle""#, leases: leases.merging(["secret_id": "wrong"]) { $1 })
            #expect(await Vault.failure { try await impostor.read("stage/mail") }?.reason == "secretsource.refused")
            let bare = try await Vault(server, #", "authentication": "approle""#)
            #expect(await Vault.failure { try await bare.read("stage/mail") }?.reason == "secretsource.refused")
            // A namespace of its own has engines of its own.
            try server.ask("PUT", "sys/namespaces/team")
            let elsewhere = try await Vault(server, #", "namespace": "team""#)
            #expect(await Vault.failure { try await elsewhere.wrap("0123456789abcdef") }?.reason == "keysource.no_key")
            try server.ask("POST", "sys/mounts/transit", #"{"type": "transit"}"#, namespace: "team")
            try server.ask("POST", "transit/keys/theatre", namespace: "team")
            #expect(try await elsewhere.wrap("0123456789abcdef").version == "1")

            let vault = try await Vault(server)
            try server.ask("POST", "sys/seal")
            let error = await Vault.failure { try await vault.wrap("0123456789abcdef") }
            #expect(error?.reason == "keysource.unreachable")
            #expect(error?.message.contains("sealed") == true)
            #expect(error?.retry == .safe)
            server.stop()
            #expect(await Vault.failure { try await vault.read("stage/mail") }?.reason == "secretsource.unreachable")
        }
    }

    /// The transit engine, and who may use it.
    private static func furnish(_ server: OpenBaoServer) throws {
        try server.ask("POST", "sys/mounts/transit", #"{"type": "transit"}"#)
        try server.ask("POST", "transit/keys/theatre")
    }

    private static func appRole(_ server: OpenBaoServer) throws -> [String: String] {
        let escaped = policy.replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        try server.ask("PUT", "sys/policies/acl/theatre", #"{"policy": "\#(escaped)"}"#)
        try server.ask("POST", "sys/auth/approle", #"{"type": "approle"}"#)
        try server.ask("POST", "auth/approle/role/theatre", #"{"token_policies": "theatre", "token_ttl": "600s"}"#)
        let role = try server.ask("GET", "auth/approle/role/theatre/role-id")["data"]?["role_id"]?.string ?? ""
        let secret = try server.ask("POST", "auth/approle/role/theatre/secret-id")["data"]?["secret_id"]?.string ?? ""
        return ["role_id": role, "secret_id": secret]
    }
}
