// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import SeededRandom
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import KeyFile

struct KeyringTests {
    private static func line(_ version: Int, _ seed: UInt8) -> String {
        let key = Data((0..<32).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ Int(seed)) })
        return "\(version):\(key.base64EncodedString())"
    }

    @Test func whatIsWrappedIsUnwrapped() throws {
        let ring = try Keyring("# the first\n\(Self.line(1, 1))\n \(Self.line(3, 9)) \n")
        #expect(ring.current == 3)
        #expect(ring.versions == [1, 3])
        let wrapped = try ring.wrap(Data("0123456789abcdef".utf8), Data("for".utf8))
        #expect(try ring.unwrap(wrapped, Data("for".utf8)) == Data("0123456789abcdef".utf8))
    }

    @Test func anOldVersionStillUnwraps() throws {
        let old = try Keyring(Self.line(1, 1)).wrap(Data([1, 2, 3]), Data())
        let ring = try Keyring("\(Self.line(1, 1))\n\(Self.line(2, 9))")
        #expect(try ring.unwrap(old, Data()) == Data([1, 2, 3]))
        let error = try #require(throws: PluginError.self) {
            try Keyring(Self.line(2, 9)).unwrap(old, Data())
        }
        #expect(error.reason == "keysource.unknown_version")
    }

    /// Each byte, each bit that was drawn, each cut: nothing that was changed is taken.
    @Test func whatWasTamperedWithIsRefused() throws {
        var random = SeededGenerator(seed: 5)
        let ring = try Keyring("\(Self.line(1, 1))\n\(Self.line(2, 9))")
        let wrapped = try ring.wrap(Data("a data key of 32 bytes, or nearly".utf8), Data("place".utf8))
        for index in wrapped.indices {
            var changed = wrapped
            changed[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            #expect(throws: PluginError.self) { try ring.unwrap(changed, Data("place".utf8)) }
            #expect(throws: PluginError.self) { try ring.unwrap(wrapped.prefix(index), Data("place".utf8)) }
        }
        #expect(throws: PluginError.self) { try ring.unwrap(wrapped, Data("plac3".utf8)) }
    }

    @Test(arguments: [
        "", "# nothing", "1:AAAA", "1", "0:\(Data(repeating: 7, count: 32).base64EncodedString())",
        "1:\(Data(repeating: 0, count: 32).base64EncodedString())", "x:\(Self.line(1, 1).dropFirst(2))",
        "\(Self.line(1, 1))\n\(Self.line(1, 9))",
        "1:\(Data("0123456789abcdefghijklmnopqrstuv".utf8).base64EncodedString())",
    ]) func aBadKeyringIsRefusedAndNotRepeated(_ text: String) throws {
        let error = try #require(throws: PluginError.self) { try Keyring(text) }
        #expect(error.reason == "keysource.no_key")
        #expect(!error.message.contains("AAAA"))
    }

    @Test func thePluginWrapsByTheLeasedKeyring() async throws {
        let host = TestHost()
        host.serve("theatre.host.v1.Secrets/Lease") { (request: HostLeaseRequest, _) -> HostLeaseResponse in
            .with { $0.value = Data("\(Self.line(1, 1))\n\(Self.line(2, 9))".utf8) }
        }
        try await host.install(
            KeyFile.self, manifest: .plugin("Identity/KeyFile"), instance: "keyfile", configuration: "{}")
        host.route("keys", to: "keyfile")
        let client = KeySourceSourceClient(host.scope(), feature: "keys")
        #expect(try await client.describe(.init()).currentVersion == "2")
        let wrapped = try await client.wrap(.with { $0.plaintext = Data([4, 5, 6]) })
        #expect(wrapped.version == "2")
        let again = try await client.rewrap(.with { $0.wrapped = wrapped.wrapped })
        #expect(again.wrapped != wrapped.wrapped)
        #expect(try await client.unwrap(.with { $0.wrapped = again.wrapped }).plaintext == Data([4, 5, 6]))
    }
}
