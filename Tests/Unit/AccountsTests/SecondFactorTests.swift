// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Accounts

struct SecondFactorTests {
    /// The secret as the app has it: what the fixture's key makes of what is stored.
    private func code(_ fixture: AccountsFixture, _ account: String, later steps: Int64 = 0) async throws -> String {
        let row = try #require(
            try await fixture.rows("/* tenants: all */ SELECT seed FROM {factors} WHERE account = '\(account)'").first)
        let data = Array("theatre.totp.v1\ndefault\n\(account)\n\(try row.text("seed"))".utf8)
        let secret = Array(TestKeys.mac("mfa", "1", data).prefix(20))
        return TOTP.code(secret, fixture.host.now / 1000 / 30 + steps)
    }

    /// An account with a second factor, and its recovery codes.
    private func protected(_ fixture: AccountsFixture) async throws -> (account: String, codes: [String]) {
        let account = try await fixture.register().account.id
        _ = try await fixture.factor(account).enrollFactor(AccountsEnrollFactorRequest())
        let first = try await code(fixture, account)
        let codes = try await fixture.factor(account).confirmFactor(.with { $0.code = first }).codes
        fixture.host.advance(milliseconds: 30_000)
        return (account, codes)
    }

    private func complete(_ fixture: AccountsFixture, _ challenge: String, _ code: String) async throws
        -> AccountsSession
    {
        try await fixture.factor().completeSignIn(
            .with {
                $0.challenge = challenge
                $0.code = code
            })
    }

    @Test func aSignInAsksForTheSecondFactorAndGivesNoTokensBefore() async throws {
        let fixture = try await AccountsFixture()
        let (account, codes) = try await protected(fixture)
        #expect(codes.count == 10 && Set(codes).count == 10)
        let half = try await fixture.login()
        #expect(half.accessToken.isEmpty && half.refreshToken.isEmpty && !half.hasAccount)
        #expect(half.mfaChallenge.utf8.count == 43)
        let wrong = await fixture.failure { try await complete(fixture, half.mfaChallenge, "abcdef") }
        #expect(wrong?.code == .unauthenticated && wrong?.reason == "accounts.code_refused")
        let session = try await complete(fixture, half.mfaChallenge, try await code(fixture, account))
        #expect(session.account.id == account && !session.accessToken.isEmpty)
        // The challenge is spent, and so is the code.
        #expect(
            await fixture.failure { try await complete(fixture, half.mfaChallenge, try await code(fixture, account)) }?
                .reason == "accounts.code_refused")
        let next = try await fixture.login().mfaChallenge
        let replay = try await code(fixture, account)
        #expect(await fixture.failure { try await complete(fixture, next, replay) }?.reason == "accounts.code_refused")
        #expect(fixture.host.violations.isEmpty)
    }

    @Test func theAppIsToldTheSecretThatTheCodesAreOf() async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account.id
        let told = try await fixture.factor(account).enrollFactor(AccountsEnrollFactorRequest())
        #expect(told.secret.utf8.count == 32)
        #expect(
            told.url
                == "otpauth://totp/theatre:li%40example.org?secret=\(told.secret)&issuer=theatre&algorithm=SHA1&digits=6&period=30"
        )
        let seed = try #require(try await fixture.rows("/* tenants: all */ SELECT seed FROM {factors}").first)
        #expect(try seed.text("seed") != told.secret)
        // Until it is confirmed nobody is asked for it.
        #expect(try await fixture.login().mfaChallenge.isEmpty)
        let wrong = await fixture.failure { try await fixture.factor(account).confirmFactor(.with { $0.code = "no" }) }
        #expect(wrong?.reason == "accounts.code_refused")
    }

    @Test func aRecoveryCodeCountsOnceAndIsStoredAsADigest() async throws {
        let fixture = try await AccountsFixture()
        let (account, codes) = try await protected(fixture)
        let first = try await fixture.login().mfaChallenge
        let typed = codes[3].lowercased().replacing("-", with: " ")
        #expect(try await complete(fixture, first, typed).account.id == account)
        let second = try await fixture.login().mfaChallenge
        let again = await fixture.failure { try await complete(fixture, second, codes[3]) }
        #expect(again?.reason == "accounts.code_refused")
        _ = try await complete(fixture, second, codes[4])
        let stored = try await fixture.rows("/* tenants: all */ SELECT hash FROM {recovery}")
        #expect(stored.count == 8)
    }

    @Test func aChallengeHasFiveTriesAndFiveMinutes() async throws {
        let fixture = try await AccountsFixture()
        let (account, _) = try await protected(fixture)
        let tried = try await fixture.login().mfaChallenge
        for _ in 0..<5 { _ = await fixture.failure { try await complete(fixture, tried, "wrong") } }
        let right = try await code(fixture, account)
        #expect(await fixture.failure { try await complete(fixture, tried, right) }?.reason == "accounts.code_refused")
        let late = try await fixture.login().mfaChallenge
        fixture.host.advance(milliseconds: 300_000)
        let fresh = try await code(fixture, account)
        #expect(await fixture.failure { try await complete(fixture, late, fresh) }?.reason == "accounts.code_refused")
        _ = try await complete(fixture, try await fixture.login().mfaChallenge, fresh)
    }

    @Test func ofManyWithOneCodeExactlyOneGetsIn() async throws {
        let fixture = try await AccountsFixture()
        let (account, _) = try await protected(fixture)
        var challenges: [String] = []
        for _ in 0..<6 { challenges.append(try await fixture.login().mfaChallenge) }
        let right = try await code(fixture, account)
        let entered = await withTaskGroup(of: Bool.self) { group in
            for challenge in challenges {
                group.addTask {
                    do {
                        _ = try await complete(fixture, challenge, right)
                        return true
                    } catch {
                        return false
                    }
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(entered == 1)
    }

    @Test func itIsTurnedOffWithACodeOnlyAndOnOnlyOnce() async throws {
        let fixture = try await AccountsFixture()
        let (account, codes) = try await protected(fixture)
        let twice = await fixture.failure {
            try await fixture.factor(account).enrollFactor(AccountsEnrollFactorRequest())
        }
        #expect(twice?.reason == "accounts.factor_on")
        let wrong = await fixture.failure { try await fixture.factor(account).removeFactor(.with { $0.code = "1" }) }
        #expect(wrong?.reason == "accounts.code_refused")
        _ = try await fixture.factor(account).removeFactor(.with { $0.code = codes[0] })
        #expect(try await fixture.login().mfaChallenge.isEmpty)
        let gone = await fixture.failure {
            try await fixture.factor(account).removeFactor(.with { $0.code = codes[1] })
        }
        #expect(gone?.reason == "accounts.no_factor")
    }
}
