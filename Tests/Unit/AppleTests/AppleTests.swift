// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Apple

struct AppleTests {
    @Test(arguments: OAuthSuite.cases) func theSuiteHolds(_ rule: SuiteCase<OAuthSubject>) async throws {
        try await rule.run(EmulatedApple().subject)
    }

    @Test func aPersonSignsInOnTheWebAndOnADeviceAsOne() async throws {
        let apple = try await EmulatedApple()
        let web = try await apple.signIn()
        #expect(web.subject == "DEF123GHIJ.000123.li.0456")
        #expect(
            web.claims == [
                "email": "li@privaterelay.appleid.com", "email_verified": "true", "is_private_email": "true",
            ])
        #expect(try await apple.signInOnDevice().subject == web.subject)
        #expect(try await apple.signInOnDevice(code: "").subject == web.subject)
        #expect(apple.host.violations.isEmpty)
    }

    @Test(arguments: [
        TokenFlaw.unsigned, .confused, .otherKey, .changed, .otherAudience, .otherParty, .otherIssuer, .lapsed, .early,
        .otherNonce, .noNonce, .nobody,
    ])
    func aFlawedTokenOfADeviceIsRefused(_ flaw: TokenFlaw) async throws {
        let apple = try await EmulatedApple()
        let error = await #expect(throws: PluginError.self) { try await apple.signInOnDevice(flaw: flaw) }
        #expect(error?.reason == "auth.refused")
    }

    @Test func aNonceGoesOutHashedAndIsNotAnother() async throws {
        let apple = try await EmulatedApple()
        let error = await #expect(throws: PluginError.self) { try await apple.signInOnDevice(nonce: "plain") }
        #expect(error?.reason == "auth.refused")
        let audience = await #expect(throws: PluginError.self) {
            try await apple.signInOnDevice(bundle: "example.another.app")
        }
        #expect(audience?.reason == "auth.refused")
    }

    @Test func aCodeOfAnotherPersonIsRefused() async throws {
        let apple = try await EmulatedApple()
        let other = try apple.emulator.authorize("zhang", bundle: "example.theatre.app", nonce: "n")
        let error = await #expect(throws: PluginError.self) { try await apple.signInOnDevice(code: other.code) }
        #expect(error?.reason == "auth.refused")
    }

    @Test func removingTakesTheGrantBack() async throws {
        let apple = try await EmulatedApple()
        let subject = try await apple.signInOnDevice().subject
        // What fails can be tried again.
        apple.emulator.script(.status(503, ""))
        let error = await #expect(throws: PluginError.self) {
            try await apple.client().remove(.with { $0.subject = subject })
        }
        #expect(error?.reason == "auth.unreachable")
        _ = try await apple.client("another").remove(.with { $0.subject = subject })
        #expect(apple.emulator.revoked.isEmpty)
        _ = try await apple.client().remove(.with { $0.subject = subject })
        #expect(apple.emulator.revoked == ["refresh-c1.0.apple"])
        _ = try await apple.client().remove(.with { $0.subject = subject })
        #expect(apple.emulator.revoked.count == 1)
    }

    @Test func aRefreshTokenIsStoredSealed() async throws {
        let apple = try await EmulatedApple()
        _ = try await apple.signIn()
        let rows = try await Database(apple.probe, feature: "apple.storage").read(
            "/* tenants: all */ SELECT sealed FROM {grants}")
        let sealed = try #require(try rows.first?.blob("sealed"))
        #expect(sealed.count == "refresh-c1.0.apple".utf8.count + 28)
        #expect(!String(decoding: sealed, as: UTF8.self).contains("refresh"))
    }

    @Test func aGrantOutlivesARotationOfItsKey() async throws {
        let apple = try await EmulatedApple()
        let keys = apple.rotatingTokens()
        let subject = try await apple.signInOnDevice().subject
        keys.set(["2", "1"])
        _ = try await apple.client().remove(.with { $0.subject = subject })
        #expect(apple.emulator.revoked == ["refresh-c1.0.apple"])
    }

    /// What cannot be opened any more keeps nobody from being erased; what failed for another reason can be tried again.
    @Test func aGrantIsLostWithItsKeyAloneNotByAnyError() async throws {
        let apple = try await EmulatedApple()
        let keys = apple.rotatingTokens()
        let subject = try await apple.signInOnDevice().subject
        keys.set([])
        let error = await #expect(throws: PluginError.self) {
            try await apple.client().remove(.with { $0.subject = subject })
        }
        #expect(error?.reason == "keys.not_granted")
        keys.set(["2"])
        _ = try await apple.client().remove(.with { $0.subject = subject })
        #expect(apple.emulator.revoked.isEmpty)
        let rows = try await Database(apple.probe, feature: "apple.storage").read(
            "/* tenants: all */ SELECT subject FROM {grants}")
        #expect(rows.isEmpty)
    }

    @Test func aKeyThatIsNotOursIsAFaultOfTheConfiguration() async throws {
        let apple = try await EmulatedApple(given: TokenSigner(.es256, id: "ABC123DEFG"))
        let error = await #expect(throws: PluginError.self) { try await apple.signIn() }
        #expect(error?.reason == "auth.misconfigured")
    }

    @Test func whatAppleDoesNotAnswerIsNoRefusal() async throws {
        let apple = try await EmulatedApple()
        for fault in [AppleEmulator.Fault.cut, .status(500, ""), .status(502, "<html>")] {
            apple.emulator.script(fault)
            let error = await #expect(throws: PluginError.self) { try await apple.signIn() }
            #expect(error?.reason == "auth.unreachable")
        }
    }
}
