// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Runtime
import SeededRandom
import Testing

@testable import Services

/// What is stored of a secret opens with its own key, at its own place, as its own version, and not otherwise.
struct SecretEnvelopeTests {
    private static let address = SecretAddress(tenant: "t", project: "p", owner: "stripe", name: "api_key")

    private static func sealed(_ text: String, _ key: Data, version: Int64 = 3) throws -> Data {
        try SecretEnvelope.seal(Data(text.utf8), key: key, address, version: version)
    }

    @Test(arguments: ["", "a", String(repeating: "汴京", count: 20_000)]) func whatIsSealedOpens(_ text: String) throws {
        let key = SecretEnvelope.newKey()
        let sealed = try Self.sealed(text, key)
        #expect(sealed.count == text.utf8.count + 28)
        #expect(try SecretEnvelope.open(sealed, key: key, Self.address, version: 3).text() == text)
    }

    /// Made by another implementation (Python's cryptography) of the same layout: what is stored today opens for ever.
    @Test func whatAnotherImplementationSealedOpens() throws {
        let hex = Array("6465666768696a6b6c6d6e6f206eb0121c9b64b4ec9eb29e2ccfd267df67649eac83dd")
        let sealed = Data(
            stride(from: 0, to: hex.count, by: 2).compactMap { UInt8(String(hex[$0...($0 + 1)]), radix: 16) })
        let value = try SecretEnvelope.open(sealed, key: Data(0..<32), Self.address, version: 3)
        #expect(value.text() == "hunter2")
    }

    @Test func theSameValueTwiceIsNotTheSame() throws {
        let key = SecretEnvelope.newKey()
        #expect(try Self.sealed("same", key) != Self.sealed("same", key))
        #expect(SecretEnvelope.newKey() != SecretEnvelope.newKey())
    }

    @Test func anyByteThatWasChangedAndAnyCutIsRefused() throws {
        var random = SeededGenerator(seed: 41)
        let key = SecretEnvelope.newKey()
        let sealed = try Self.sealed("hunter2 and some more", key)
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            try refuses(changed, key, Self.address, 3)
            try refuses(sealed.prefix(index), key, Self.address, 3)
        }
        try refuses(sealed, SecretEnvelope.newKey(), Self.address, 3)
        try refuses(sealed, Data(key.dropLast()), Self.address, 3)
    }

    /// A row that was copied to another place, or an old one put in the place of a new one.
    @Test func anotherPlaceAndAnotherVersionAreRefused() throws {
        let key = SecretEnvelope.newKey()
        let sealed = try Self.sealed("hunter2", key)
        for version in [Int64](1...9) where version != 3 { try refuses(sealed, key, Self.address, version) }
        for field in [\SecretAddress.tenant, \.project, \.owner, \.name] {
            var other = Self.address
            other[keyPath: field] += "x"
            try refuses(sealed, key, other, 3)
        }
    }

    /// No two places give the same associated data, however their parts are cut.
    @Test func partsCannotBeMovedAcrossTheirBounds() {
        var random = SeededGenerator(seed: 42)
        var seen: [Data: SecretAddress] = [:]
        let parts = ["", "a", "b", "ab", "ba", "a|b", "\0", "aa"]
        for _ in 0..<2000 {
            let drawn = (0..<4).map { _ in parts[Int.random(in: 0..<parts.count, using: &random)] }
            let address = SecretAddress(tenant: drawn[0], project: drawn[1], owner: drawn[2], name: drawn[3])
            let data = address.associatedData(version: 1)
            #expect(seen[data] == nil || seen[data] == address)
            seen[data] = address
        }
    }

    private func refuses(_ sealed: Data, _ key: Data, _ address: SecretAddress, _ version: Int64) throws {
        let error = #expect(throws: CallError.self) {
            try SecretEnvelope.open(sealed, key: key, address, version: version)
        }
        #expect(error?.reason == "secrets.tampered")
        #expect(error?.message.contains("hunter2") == false)
    }
}
